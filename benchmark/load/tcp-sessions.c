/*
 * tcp-sessions PORT PARALLEL SECONDS: connect, send 100 bytes, read them back, close; as often as it goes.
 * Closes with a reset, so that no port waits in TIME_WAIT.
 */
#include "measure.h"

enum { MESSAGE = 100 };

static char buffer[4096];
static int64_t started[65536];
static int received[65536];
static struct sockaddr_in address;
static int epoll;

static void begin(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("socket");
  struct linger reset = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  started[fd] = now_ns();
  received[fd] = 0;
  if (connect(fd, (void *)&address, sizeof address) != 0 && errno != EINPROGRESS) fail("connect");
  watch(epoll, EPOLL_CTL_ADD, fd, EPOLLOUT);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  signal(SIGPIPE, SIG_IGN);
  address = loopback(1, atoi(argv[1]));
  int parallel = atoi(argv[2]);
  int64_t duration = (int64_t)(atof(argv[3]) * 1e9);
  epoll = epoll_create1(0);
  for (int i = 0; i < parallel; i++) begin();

  uint64_t units = 0, failures = 0;
  int64_t start = now_ns();
  struct epoll_event events[256];
  while (now_ns() - start < duration) {
    int count = epoll_wait(epoll, events, 256, 100);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (events[i].events & EPOLLOUT) {
        if (write(fd, buffer, MESSAGE) == MESSAGE) {
          watch(epoll, EPOLL_CTL_MOD, fd, EPOLLIN);
          continue;
        }
        failures++;
      } else {
        ssize_t got = read(fd, buffer, sizeof buffer);
        if (got > 0 && (received[fd] += (int)got) < MESSAGE) continue;
        if (got > 0) {
          units++;
          latency_add(now_ns() - started[fd]);
        } else {
          failures++;
        }
      }
      close(fd);
      begin();
    }
  }
  report(units, failures, now_ns() - start);
  return 0;
}
