/*
 * tcp-idle PORT HOST SESSIONS PARALLEL: opens sessions from 127.0.0.HOST, each proved by one byte there and back, and holds them
 * until standard input ends. Prints a report when all are open; its latencies are those of opening.
 */
#include "measure.h"

static int64_t started[65536];
static struct sockaddr_in address, source;
static int epoll;

static void begin(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("socket");
  int on = 1;
  /* The port is chosen at connect, when both ends are known: thousands of connections then share one source address. */
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(fd, (void *)&source, sizeof source) != 0) fail("bind");
  started[fd] = now_ns();
  if (connect(fd, (void *)&address, sizeof address) != 0 && errno != EINPROGRESS) fail("connect");
  watch(epoll, EPOLL_CTL_ADD, fd, EPOLLOUT);
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  signal(SIGPIPE, SIG_IGN);
  address = loopback(1, atoi(argv[1]));
  source = loopback(atoi(argv[2]), 0);
  int sessions = atoi(argv[3]), begun = 0, open = 0;
  epoll = epoll_create1(0);
  int64_t start = now_ns();
  for (; begun < sessions && begun < atoi(argv[4]); begun++) begin();

  struct epoll_event events[256];
  while (open < sessions) {
    int count = epoll_wait(epoll, events, 256, 10000);
    if (count == 0) {
      fprintf(stderr, "only %d sessions were opened\n", open);
      return 1;
    }
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      char byte = 'x';
      if (events[i].events & EPOLLOUT) {
        if (write(fd, &byte, 1) != 1) fail("write");
        watch(epoll, EPOLL_CTL_MOD, fd, EPOLLIN);
      } else {
        if (read(fd, &byte, 1) != 1) fail("read");
        watch(epoll, EPOLL_CTL_DEL, fd, 0);
        latency_add(now_ns() - started[fd]);
        open++;
        if (begun < sessions) {
          begin();
          begun++;
        }
      }
    }
  }
  report((uint64_t)open, 0, now_ns() - start);
  char end;
  while (read(0, &end, 1) > 0) {
  }
  return 0;
}
