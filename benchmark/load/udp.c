/*
 * udp serve: sends every datagram back; prints the port it chose and serves until it is killed.
 * udp load PORT SOCKETS SECONDS: one datagram of 100 bytes under way on each socket. One that is lost is sent again after
 * 100 ms and counted as a failure.
 */
#include "measure.h"

enum { MESSAGE = 100 };
static const int64_t patience_ns = 100000000;

static char buffer[65536];
static int64_t sent_at[65536];

static _Noreturn void serve(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in address = loopback(1, 0), peer;
  socklen_t length = sizeof address;
  if (bind(fd, (void *)&address, sizeof address) != 0) fail("bind");
  getsockname(fd, (void *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    length = sizeof peer;
    ssize_t got = recvfrom(fd, buffer, sizeof buffer, 0, (void *)&peer, &length);
    if (got >= 0) sendto(fd, buffer, (size_t)got, 0, (void *)&peer, length);
  }
}

static void ask(int fd) {
  sent_at[fd] = now_ns();
  send(fd, buffer, MESSAGE, 0);
}

static int load(int port, int sockets, int64_t duration) {
  int epoll = epoll_create1(0);
  int first = 0, last = 0;
  struct sockaddr_in address = loopback(1, port);
  for (int i = 0; i < sockets; i++) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (connect(fd, (void *)&address, sizeof address) != 0) fail("connect");
    watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
    if (i == 0) first = fd;
    last = fd;
    ask(fd);
  }

  uint64_t units = 0, lost = 0;
  int64_t start = now_ns(), swept = start;
  struct epoll_event events[256];
  while (now_ns() - start < duration) {
    int count = epoll_wait(epoll, events, 256, 100);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (recv(fd, buffer, sizeof buffer, 0) < 0) continue;
      units++;
      latency_add(now_ns() - sent_at[fd]);
      ask(fd);
    }
    if (now_ns() - swept < patience_ns) continue;
    swept = now_ns();
    for (int fd = first; fd <= last; fd++) {
      if (swept - sent_at[fd] < patience_ns) continue;
      lost++;
      ask(fd);
    }
  }
  report(units, lost, now_ns() - start);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "serve") == 0) serve();
  if (argc == 5 && strcmp(argv[1], "load") == 0) return load(atoi(argv[2]), atoi(argv[3]), (int64_t)(atof(argv[4]) * 1e9));
  return 2;
}
