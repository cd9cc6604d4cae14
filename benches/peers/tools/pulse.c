/* pulse: what one client sees of a server: a question every millisecond, and how long each answer takes.
 *
 * usage: pulse IP PORT QUESTIONS SECONDS [RATE=1000]
 *
 * Sends on time whatever comes back. SECONDS is the longest: it ends earlier on SIGTERM. Where it may, it runs before all
 * other programs (SCHED_FIFO), so that waiting for a processor of its own does not count against the server. Prints
 * "SENT ANSWERED LOST P50_US P99_US P99_9_US MAX_US"; a question that is not answered within two seconds is lost, and counts
 * as two seconds. */
#include "query.h"
#include <poll.h>
#include <sched.h>
#include <signal.h>

enum { IDS = 65536 };
static const int64_t LOST_NS = 2000000000;

static volatile sig_atomic_t ended;
static void end(int signal) { (void)signal, ended = 1; }

static int by_size(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static double part_us(const int64_t *sorted, long count, double part) {
  long at = (long)(part * (double)count);
  return count ? (double)sorted[at < count ? at : count - 1] / 1e3 : 0;
}

int main(int count, char **words) {
  if (count < 5) { fprintf(stderr, "usage: pulse IP PORT QUESTIONS SECONDS [RATE]\n"); return 2; }
  struct queries queries = read_queries(words[3], 0);
  double rate = count > 5 ? atof(words[5]) : 1000;
  int udp = udp_socket(words[1], words[2]);
  struct sched_param before_all = {.sched_priority = 10};
  if (sched_setscheduler(0, SCHED_FIFO, &before_all)) fprintf(stderr, "pulse: waits for its turn like all others\n");
  precise();
  signal(SIGTERM, end);
  long room = (long)(atof(words[4]) * rate) + IDS, sent = 0, answered = 0;
  int64_t *took = malloc((size_t)room * sizeof *took), *asked = calloc((size_t)room, sizeof *asked);
  int64_t start = now_ns(), stop = start + (int64_t)(atof(words[4]) * 1e9), gap = (int64_t)(1e9 / rate);
  unsigned char answer[65536];
  for (int64_t now; (now = now_ns()) < stop + LOST_NS;) {
    int sending = !ended && now < stop && sent < room;
    if (!sending && stop > now) stop = now;
    if (!sending && answered == sent) break;
    int64_t due = start + sent * gap;
    if (sending && now >= due) {
      struct query *query = &queries.all[(size_t)sent % queries.count];
      query->octets[0] = (unsigned char)(sent >> 8), query->octets[1] = (unsigned char)sent;
      asked[sent++] = now_ns();
      send_query(udp, query->octets, query->length);
      continue;
    }
    struct timespec left = {0, sending ? due - now : 10000000};
    struct pollfd readable = {udp, POLLIN, 0};
    if (ppoll(&readable, 1, &left, NULL) <= 0) continue;
    int got;
    while ((got = (int)recv(udp, answer, sizeof answer, MSG_DONTWAIT)) > 0) {
      if (got < 12 || !(answer[2] & 0x80) || !sent) continue;
      long id = answer[0] << 8 | answer[1], which = ((sent - 1) & ~(long)(IDS - 1)) | id;
      if (which >= sent) which -= IDS;
      if (which < 0 || !asked[which]) continue;
      took[answered++] = now_ns() - asked[which];
      asked[which] = 0;
    }
  }
  long lost = sent - answered;
  for (long i = 0; i < lost; i++) took[answered + i] = LOST_NS;
  qsort(took, (size_t)sent, sizeof *took, by_size);
  printf("%ld %ld %ld %.1f %.1f %.1f %.1f\n", sent, answered, lost, part_us(took, sent, .5), part_us(took, sent, .99),
         part_us(took, sent, .999), part_us(took, sent, 1));
}
