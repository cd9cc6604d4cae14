/* blast: as many questions over UDP as a server answers, from one thread; cheaper a question than dnsperf, which would be
 * what is measured.
 *
 * usage: blast IP PORT QUESTIONS SECONDS plain|do [WINDOW=256] [RATE=0]
 *
 * Keeps WINDOW questions unanswered on eight sockets (with RATE: sends no more than that in a second). Prints
 * "SENT RECEIVED LOST OTHER SECONDS". OTHER counts answers that are no answers (no QR) or have another rcode than NOERROR and
 * NXDOMAIN; whether the contents are right is not looked at here: harness/right.py has done that before. */
#include "query.h"

enum { SOCKETS = 8, BATCH = 32, LOST_AFTER_NS = 50000000 };

static unsigned char received_octets[BATCH][4096];
static struct iovec out_parts[BATCH], in_parts[BATCH];
static struct mmsghdr out[BATCH], in[BATCH];

static long count_other(int received) {
  long other = 0;
  for (int i = 0; i < received; i++) {
    int rcode = received_octets[i][3] & 15;
    other += in[i].msg_len < 12 || !(received_octets[i][2] & 0x80) || (rcode != 0 && rcode != 3);
  }
  return other;
}

int main(int count, char **words) {
  if (count < 6) { fprintf(stderr, "usage: blast IP PORT QUESTIONS SECONDS plain|do [WINDOW] [RATE]\n"); return 2; }
  struct queries queries = read_queries(words[3], !strcmp(words[5], "do"));
  double seconds = atof(words[4]), rate = count > 7 ? atof(words[7]) : 0;
  long window = count > 6 ? atol(words[6]) : 256;
  int sockets[SOCKETS];
  for (int i = 0; i < SOCKETS; i++) sockets[i] = udp_socket(words[1], words[2]);
  for (int i = 0; i < BATCH; i++) {
    in_parts[i] = (struct iovec){received_octets[i], sizeof received_octets[i]};
    in[i].msg_hdr.msg_iov = &in_parts[i], in[i].msg_hdr.msg_iovlen = 1;
    out[i].msg_hdr.msg_iov = &out_parts[i], out[i].msg_hdr.msg_iovlen = 1;
  }
  long sent = 0, received = 0, lost = 0, other = 0;
  size_t next = 0;
  int64_t start = now_ns(), end = start + (int64_t)(seconds * 1e9), heard = start, now;
  for (int turn = 0; (now = now_ns()) < end; turn = (turn + 1) % SOCKETS) {
    long may = window - (sent - received - lost);
    if (rate > 0) {
      long due = (long)((double)(now - start) / 1e9 * rate) - sent;
      if (due < may) may = due;
    }
    if (may >= (rate > 0 ? 1 : BATCH)) {
      if (may > BATCH) may = BATCH;
      for (long i = 0; i < may; i++) {
        struct query *query = &queries.all[next];
        out_parts[i] = (struct iovec){query->octets, (size_t)query->length};
        query->octets[0] = (unsigned char)((sent + i) >> 8), query->octets[1] = (unsigned char)(sent + i);
        next = next + 1 == queries.count ? 0 : next + 1;
      }
      int more = sendmmsg(sockets[turn], out, (unsigned)may, 0);
      if (more > 0) sent += more;
    }
    int more = recvmmsg(sockets[(turn + 1) % SOCKETS], in, BATCH, MSG_DONTWAIT, NULL);
    if (more > 0) {
      received += more, heard = now;
      other += count_other(more);
    } else if (now - heard > LOST_AFTER_NS) {
      lost += sent - received - lost, heard = now;
    }
  }
  printf("%ld %ld %ld %ld %.6f\n", sent, received, lost, other, (double)(now - start) / 1e9);
}
