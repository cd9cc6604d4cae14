/* What the probes share: DNS questions as octets, what an answer says, and the clock.
 *
 * Questions come as lines "NAME TYPE". Everything here is for measuring: names come from our own files, answers from servers
 * that we have started ourselves. All the same nothing reads past the end of an answer. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { QUERY_MAX = 300 };

static inline int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Until the clock shows `at`; without the 50 us that the kernel would add (see precise()). */
static inline void sleep_until(int64_t at) {
  struct timespec t = {at / 1000000000LL, at % 1000000000LL};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static inline void precise(void) { prctl(PR_SET_TIMERSLACK, 1UL); }

static inline int type_number(const char *name) {
  static const struct { const char *name; int number; } types[] = {
      {"A", 1}, {"NS", 2}, {"CNAME", 5}, {"SOA", 6}, {"MX", 15}, {"TXT", 16}, {"AAAA", 28}, {"SRV", 33}, {"DS", 43}, {"DNSKEY", 48}};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (!strcmp(types[i].name, name)) return types[i].number;
  return atoi(name);
}

/* Writes one question to `out` (QUERY_MAX octets); its length. */
static inline int make_query(unsigned char *out, const char *name, int type, int id, int wants_dnssec) {
  memset(out, 0, 12);
  out[0] = id >> 8, out[1] = id, out[5] = 1;
  int at = 12;
  for (const char *label = name; *label && strcmp(label, ".");) {
    const char *dot = strchrnul(label, '.');
    int length = (int)(dot - label);
    if (length == 0 || length > 63 || at + length > 12 + 254) { fprintf(stderr, "no domain name: %s\n", name); exit(2); }
    out[at++] = (unsigned char)length;
    memcpy(out + at, label, (size_t)length);
    at += length;
    label = *dot ? dot + 1 : dot;
  }
  out[at++] = 0;
  out[at++] = type >> 8, out[at++] = type, out[at++] = 0, out[at++] = 1;
  if (wants_dnssec) {
    static const unsigned char opt[11] = {0, 0, 41, 4, 208, 0, 0, 128, 0, 0, 0};
    memcpy(out + at, opt, sizeof opt);
    out[11] = 1;
    at += (int)sizeof opt;
  }
  return at;
}

struct query { unsigned char *octets; int length; };
struct queries { struct query *all; size_t count; };

/* All questions of a file; ends the program when there is none. */
static inline struct queries read_queries(const char *path, int wants_dnssec) {
  FILE *file = fopen(path, "r");
  if (!file) { perror(path); exit(2); }
  struct queries read = {0};
  size_t room = 0;
  char line[400], name[300], type[20];
  unsigned char octets[QUERY_MAX];
  while (fgets(line, sizeof line, file)) {
    if (sscanf(line, "%299s %19s", name, type) != 2) continue;
    if (read.count == room) read.all = realloc(read.all, (room = room ? room * 2 : 1 << 16) * sizeof *read.all);
    int length = make_query(octets, name, type_number(type), 0, wants_dnssec);
    read.all[read.count].octets = memcpy(malloc((size_t)length), octets, (size_t)length);
    read.all[read.count++].length = length;
  }
  fclose(file);
  if (!read.count) { fprintf(stderr, "%s: no questions\n", path); exit(2); }
  return read;
}

/* A UDP socket that sends to this address alone, with room for many answers. */
static inline int udp_socket(const char *ip, const char *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  inet_pton(AF_INET, ip, &address.sin_addr);
  int made = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), room = 4 << 20;
  setsockopt(made, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  if (connect(made, (void *)&address, sizeof address)) { perror("connect"); exit(2); }
  return made;
}

/* Sends, and forgets that an earlier datagram found nobody listening: the server may not be up yet. */
static inline void send_query(int socket, const unsigned char *octets, int length) {
  if (send(socket, octets, (size_t)length, 0) < 0) {
    int error;
    socklen_t size = sizeof error;
    getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  }
}

static inline int skip_name(const unsigned char *octets, int length, int at) {
  while (at < length) {
    if (!octets[at]) return at + 1;
    if (octets[at] >= 192) return at + 2;
    at += octets[at] + 1;
  }
  return length;
}

/* Whether an answer is what one waits for:
 *   aa          authoritative, NOERROR, with at least one answer
 *   serial=N    and with an SOA whose serial is N or newer (RFC 1982)
 *   a=1.2.3.4   and with this A record */
static inline int holds(const unsigned char *octets, int length, const char *condition) {
  if (length < 12 || !(octets[2] & 4) || (octets[3] & 15)) return 0;
  int answers = octets[6] << 8 | octets[7];
  if (!answers) return 0;
  if (!strcmp(condition, "aa")) return 1;
  int at = skip_name(octets, length, 12) + 4;
  for (int i = 0; i < answers; i++) {
    at = skip_name(octets, length, at);
    if (at + 10 > length) return 0;
    int type = octets[at] << 8 | octets[at + 1], size = octets[at + 8] << 8 | octets[at + 9];
    at += 10;
    if (at + size > length) return 0;
    if (type == 6 && !strncmp(condition, "serial=", 7)) {
      int s = skip_name(octets, length, skip_name(octets, length, at));
      if (s + 4 > length) return 0;
      uint32_t serial = (uint32_t)octets[s] << 24 | (uint32_t)octets[s + 1] << 16 | (uint32_t)octets[s + 2] << 8 | octets[s + 3];
      return (int32_t)(serial - (uint32_t)strtoul(condition + 7, NULL, 10)) >= 0;
    }
    if (type == 1 && size == 4 && !strncmp(condition, "a=", 2)) {
      struct in_addr wanted;
      inet_pton(AF_INET, condition + 2, &wanted);
      if (!memcmp(&wanted, octets + at, 4)) return 1;
    }
    at += size;
  }
  return 0;
}
