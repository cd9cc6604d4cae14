/* floor: the least that a UDP server can do, to learn what the kernel alone costs an answer.
 *
 * usage: floor IP PORT [BATCH=32] [EXTRA=48]
 *
 * Sets QR and AA in each datagram, pads it with EXTRA octets (what our mean reply has more than its question) and sends it
 * back. BATCH is for recvmmsg and sendmmsg. */
#include "query.h"

enum { BATCH_MAX = 256, ROOM = 4096, QUESTION_MAX = 1024 };

static unsigned char datagrams[BATCH_MAX][ROOM];
static struct sockaddr_in senders[BATCH_MAX];
static struct iovec parts[BATCH_MAX];
static struct mmsghdr messages[BATCH_MAX];

static int bound_socket(const char *ip, const char *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  inet_pton(AF_INET, ip, &address.sin_addr);
  int made = socket(AF_INET, SOCK_DGRAM, 0), room = 4 << 20;
  setsockopt(made, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  setsockopt(made, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  if (bind(made, (void *)&address, sizeof address)) { perror("bind"); exit(1); }
  return made;
}

int main(int count, char **words) {
  if (count < 3) { fprintf(stderr, "usage: floor IP PORT [BATCH] [EXTRA]\n"); return 2; }
  int batch = count > 3 ? atoi(words[3]) : 32, extra = count > 4 ? atoi(words[4]) : 48;
  if (batch < 1 || batch > BATCH_MAX || extra < 0 || extra > ROOM - QUESTION_MAX) { fprintf(stderr, "out of range\n"); return 2; }
  int socket = bound_socket(words[1], words[2]);
  for (;;) {
    for (int i = 0; i < batch; i++) {
      parts[i] = (struct iovec){datagrams[i], QUESTION_MAX};
      messages[i].msg_hdr = (struct msghdr){
          .msg_name = &senders[i], .msg_namelen = sizeof senders[i], .msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int received = recvmmsg(socket, messages, (unsigned)batch, MSG_WAITFORONE, NULL);
    for (int i = 0; i < received; i++) {
      datagrams[i][2] |= 0x84;
      memset(datagrams[i] + messages[i].msg_len, 0, (size_t)extra);
      parts[i].iov_len = messages[i].msg_len + (size_t)extra;
    }
    for (int sent = 0, more; sent < received; sent += more)
      if ((more = sendmmsg(socket, messages + sent, (unsigned)(received - sent), 0)) <= 0) break;
  }
}
