/*
 * tcp-rr PORT CONNECTIONS BYTES SECONDS: on each connection, one message out and the same number of bytes back, over and over.
 * Large messages are written as the peer takes them, so that the echo never has to wait for this end.
 */
#include "measure.h"

struct conversation {
  long received;
  long sent;
  int64_t started;
};

static char buffer[1 << 18];
static struct conversation conversations[65536];
static long message;
static int epoll;

static void push(int fd) {
  struct conversation *c = &conversations[fd];
  int wants_more = 0;
  while (c->sent < message) {
    long left = message - c->sent;
    ssize_t n = send(fd, buffer, left < (long)sizeof buffer ? (size_t)left : sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) {
      wants_more = 1;
      break;
    }
    if (n <= 0) fail("send");
    c->sent += n;
  }
  if (message > 16384) watch(epoll, EPOLL_CTL_MOD, fd, wants_more ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void begin(int fd) {
  conversations[fd] = (struct conversation){.started = now_ns()};
  push(fd);
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  signal(SIGPIPE, SIG_IGN);
  int connections = atoi(argv[2]);
  message = atol(argv[3]);
  int64_t duration = (int64_t)(atof(argv[4]) * 1e9);
  struct sockaddr_in address = loopback(1, atoi(argv[1]));
  memset(buffer, 'x', sizeof buffer);
  epoll = epoll_create1(0);

  for (int i = 0; i < connections; i++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (connect(fd, (void *)&address, sizeof address) != 0) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
    begin(fd);
  }

  uint64_t units = 0;
  int64_t start = now_ns();
  struct epoll_event events[256];
  while (now_ns() - start < duration) {
    int count = epoll_wait(epoll, events, 256, 100);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      struct conversation *c = &conversations[fd];
      if (events[i].events & EPOLLOUT) push(fd);
      if (!(events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))) continue;
      ssize_t got = recv(fd, buffer, sizeof buffer, 0);
      if (got <= 0) {
        fprintf(stderr, "a connection was closed\n");
        return 1;
      }
      c->received += got;
      if (c->received < message) continue;
      latency_add(now_ns() - c->started);
      units++;
      begin(fd);
    }
  }
  report(units, 0, now_ns() - start);
  return 0;
}
