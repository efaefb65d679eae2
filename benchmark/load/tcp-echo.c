/*
 * tcp-echo: sends back what it receives. Prints the port it chose and serves until it is killed.
 */
#include "measure.h"

#include <fcntl.h>

static char buffer[1 << 18];

/* Blocking writes are enough: the generators read whatever comes while they send. */
static void echo(int fd) {
  ssize_t got = read(fd, buffer, sizeof buffer);
  if (got <= 0) {
    close(fd);
    return;
  }
  for (ssize_t sent = 0; sent < got;) {
    ssize_t n = write(fd, buffer + sent, (size_t)(got - sent));
    if (n <= 0) {
      close(fd);
      return;
    }
    sent += n;
  }
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = loopback(1, 0);
  socklen_t length = sizeof address;
  if (bind(listener, (void *)&address, sizeof address) != 0) fail("bind");
  if (listen(listener, 4096) != 0) fail("listen");
  getsockname(listener, (void *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);

  int epoll = epoll_create1(0);
  watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN);
  struct epoll_event events[256];
  for (;;) {
    int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd != listener) {
        echo(events[i].data.fd);
        continue;
      }
      int fd = accept(listener, NULL, NULL);
      if (fd < 0) continue;
      int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
    }
  }
}
