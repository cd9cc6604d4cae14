/* sweep: asks for the SOA of each zone of a list until all of them are answered as wanted.
 *
 * usage: sweep IP PORT ZONES CONDITION TIMEOUT_SECONDS
 *
 * First the first zone alone, then 200 zones spread over the list, each asked again every 20 ms until it is served: waiting
 * costs the server next to nothing. Then every zone, with 256 questions unanswered at most; one that is not served yet is
 * asked again after 50 ms. Prints "FIRST_NS SERVED_NS END_NS LEFT REPEATED":
 *   FIRST     the first answer of all
 *   SERVED    when the last zone that had to be asked again was answered: from then on nobody was left without an answer.
 *             Asking 100,000 zones takes half a second by itself, which is not to be charged to the server
 *   END       the last answer of all
 *   LEFT      zones that were not served in time
 *   REPEATED  zones that were asked more than once in the last pass */
#include "query.h"
#include <poll.h>

enum { SAMPLE = 200, WINDOW = 256, SAMPLE_AGAIN_NS = 20000000, AGAIN_NS = 50000000, UNHEARD_NS = 100000000, NOT_UP_NS = 1000000 };

static const int64_t LAST_LOOK_NS = 5000000000;
static char **zones;
static int zone_count;
static const char *condition;
static int udp;
static int64_t first_ns, served_ns, end_ns, deadline;

/* A zone that is asked, or that waits to be asked again. `mark` is what the id of its question begins with. */
struct open { int zone, tries, mark; int64_t asked, not_before; };

static void read_zones(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) { perror(path); exit(2); }
  char line[300];
  for (int room = 0; fgets(line, sizeof line, file);) {
    line[strcspn(line, "\r\n ")] = 0;
    if (!*line) continue;
    if (zone_count == room) zones = realloc(zones, (size_t)(room = room ? room * 2 : 1 << 16) * sizeof *zones);
    zones[zone_count++] = strdup(line);
  }
  fclose(file);
  if (!zone_count) { fprintf(stderr, "%s: no zones\n", path); exit(2); }
}

/* Asks all `count` zones of `wanted` (by index); how many had to be asked again. Leaves in `left` how many were not served. */
static int ask_all(const int *wanted, int count, int64_t again_ns, int *left) {
  struct open *open = calloc(WINDOW, sizeof *open), *later = calloc((size_t)count, sizeof *later);
  int *free_slots = calloc(WINDOW, sizeof *free_slots), free_count = WINDOW;
  int next = 0, later_from = 0, later_count = 0, done = 0, repeated = 0;
  for (int i = 0; i < WINDOW; i++) free_slots[i] = i, open[i].zone = -1;
  unsigned char octets[QUERY_MAX], answer[65536];
  static int mark;
  int64_t looked = now_ns();
  while (done < count && now_ns() < deadline) {
    int64_t now = now_ns();
    while (free_count) {
      struct open ask;
      if (later_count && later[later_from].not_before <= now) {
        ask = later[later_from];
        later_from = (later_from + 1) % count, later_count--;
      } else if (next < count) {
        ask = (struct open){.zone = wanted[next++]};
      } else break;
      int slot = free_slots[--free_count];
      ask.tries++, ask.asked = now;
      open[slot] = ask;
      open[slot].mark = mark = (mark + 1) & 255;
      int length = make_query(octets, zones[ask.zone], 6, mark << 8 | slot, 0);
      send_query(udp, octets, length);
    }
    struct pollfd readable = {udp, POLLIN, 0};
    poll(&readable, 1, 1);
    int got;
    while ((got = (int)recv(udp, answer, sizeof answer, 0)) > 0) {
      int slot = got >= 12 ? answer[1] : 0;
      if (got < 12 || open[slot].zone < 0 || open[slot].mark != answer[0]) continue;
      now = now_ns();
      if (holds(answer, got, condition)) {
        if (!first_ns) first_ns = now;
        if (open[slot].tries > 1) served_ns = now, repeated++;
        end_ns = now, done++;
      } else {
        open[slot].not_before = now + again_ns;
        later[(later_from + later_count++) % count] = open[slot];
      }
      open[slot].zone = -1, free_slots[free_count++] = slot;
    }
    now = now_ns();
    /* Before the first answer of all the server may not be up. */
    int64_t unheard_ns = first_ns ? UNHEARD_NS : NOT_UP_NS;
    if (now - looked < unheard_ns / 10) continue;
    looked = now;
    for (int slot = 0; slot < WINDOW; slot++) {
      if (open[slot].zone < 0 || now - open[slot].asked < unheard_ns) continue;
      open[slot].not_before = now;
      later[(later_from + later_count++) % count] = open[slot];
      open[slot].zone = -1, free_slots[free_count++] = slot;
    }
  }
  *left = count - done;
  free(open), free(later), free(free_slots);
  return repeated;
}

int main(int count, char **words) {
  if (count < 6) { fprintf(stderr, "usage: sweep IP PORT ZONES CONDITION TIMEOUT_SECONDS\n"); return 2; }
  read_zones(words[3]);
  condition = words[4];
  udp = udp_socket(words[1], words[2]);
  precise();
  deadline = now_ns() + (int64_t)(atof(words[5]) * 1e9);
  int *all = calloc((size_t)zone_count, sizeof *all), *sample = calloc(SAMPLE, sizeof *sample), left, repeated;
  for (int i = 0; i < zone_count; i++) all[i] = i;
  int sampled = zone_count < SAMPLE ? zone_count : SAMPLE;
  for (int i = 0; i < sampled; i++) sample[i] = (int)((long)i * zone_count / sampled);
  ask_all(sample, 1, 1000000, &left);
  ask_all(sample, sampled, SAMPLE_AGAIN_NS, &left);
  /* Too late for the sample: all the same it is counted how many are served. */
  if (now_ns() + LAST_LOOK_NS > deadline) deadline = now_ns() + LAST_LOOK_NS;
  repeated = ask_all(all, zone_count, AGAIN_NS, &left);
  if (!served_ns) served_ns = first_ns;
  printf("%lld %lld %lld %d %d\n", (long long)first_ns, (long long)served_ns, (long long)end_ns, left, repeated);
  return left != 0;
}
