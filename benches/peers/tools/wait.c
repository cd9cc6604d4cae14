/* wait: asks one question over and over until the answer is as wanted.
 *
 * usage: wait IP PORT NAME TYPE CONDITION TIMEOUT_SECONDS [INTERVAL_US=500]
 *
 * Prints the time of that answer (CLOCK_MONOTONIC, ns). Ends with 1 when it does not come in time. Conditions: see
 * holds() in query.h. */
#include "query.h"
#include <poll.h>

int main(int count, char **words) {
  if (count < 7) { fprintf(stderr, "usage: wait IP PORT NAME TYPE CONDITION TIMEOUT_SECONDS [INTERVAL_US]\n"); return 2; }
  int interval_us = count > 7 ? atoi(words[7]) : 500, socket = udp_socket(words[1], words[2]);
  unsigned char query[QUERY_MAX], answer[65536];
  int length = make_query(query, words[3], type_number(words[4]), 0x1234, 0);
  precise();
  int64_t next = now_ns(), end = next + (int64_t)(atof(words[6]) * 1e9);
  for (int64_t now; (now = now_ns()) < end;) {
    if (now >= next) {
      send_query(socket, query, length);
      next = now + interval_us * 1000LL;
    }
    struct timespec left = {0, next > now ? next - now : 0};
    struct pollfd readable = {socket, POLLIN, 0};
    if (ppoll(&readable, 1, &left, NULL) <= 0) continue;
    int got = (int)recv(socket, answer, sizeof answer, 0);
    if (got > 0 && holds(answer, got, words[5])) {
      printf("%lld\n", (long long)now_ns());
      return 0;
    }
  }
  return 1;
}
