/*
 * soak-echo PORT FAULTS SEED: sends back what it receives, on port PORT (0: one of its choice, printed), until it is killed. With
 * FAULTS above 0, one read in so many ends in a reset, a close or an early end instead. A connection that takes nothing holds up
 * no other.
 */
#define _GNU_SOURCE
#include "measure.h"
#include "tile.h"

enum { DESCRIPTORS = 65536, PIECE = 1 << 16 };

struct held {
  char *bytes;
  ssize_t from, size;
};

static char buffer[PIECE];
static struct held waiting[DESCRIPTORS];
static struct dice dice;
static int epoll;

static void drop(int fd, int with_reset) {
  if (with_reset) {
    struct linger reset = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  free(waiting[fd].bytes);
  waiting[fd] = (struct held){0};
  close(fd);
}

/* What a server does that fails. */
static void misbehave(int fd) {
  uint32_t kind = roll(&dice, 3);
  if (kind == 2) shutdown(fd, SHUT_WR);
  else drop(fd, kind == 0);
}

static void echo(int fd, uint32_t faults) {
  ssize_t got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    drop(fd, 0);
    return;
  }
  if (faults > 0 && roll(&dice, faults) == 0) {
    misbehave(fd);
    return;
  }
  ssize_t sent = send(fd, buffer, (size_t)got, MSG_DONTWAIT);
  if (sent == got) return;
  if (sent < 0 && errno != EAGAIN) {
    drop(fd, 0);
    return;
  }
  if (sent < 0) sent = 0;
  waiting[fd] = (struct held){.bytes = malloc((size_t)(got - sent)), .size = got - sent};
  memcpy(waiting[fd].bytes, buffer + sent, (size_t)(got - sent));
  watch(epoll, EPOLL_CTL_MOD, fd, EPOLLOUT);
}

static void flush(int fd) {
  struct held *held = &waiting[fd];
  ssize_t sent = send(fd, held->bytes + held->from, (size_t)(held->size - held->from), MSG_DONTWAIT);
  if (sent < 0 && errno == EAGAIN) return;
  if (sent < 0) {
    drop(fd, 0);
    return;
  }
  held->from += sent;
  if (held->from < held->size) return;
  free(held->bytes);
  *held = (struct held){0};
  watch(epoll, EPOLL_CTL_MOD, fd, EPOLLIN);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  signal(SIGPIPE, SIG_IGN);
  uint32_t faults = (uint32_t)atoi(argv[2]);
  dice = dice_from((uint32_t)atoi(argv[3]));
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = loopback(1, atoi(argv[1]));
  socklen_t length = sizeof address;
  if (bind(listener, (void *)&address, sizeof address) != 0) fail("bind");
  if (listen(listener, 4096) != 0) fail("listen");
  getsockname(listener, (void *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);

  epoll = epoll_create1(0);
  watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN);
  struct epoll_event events[256];
  for (;;) {
    int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd != listener) {
        if (waiting[fd].bytes != NULL) flush(fd);
        else echo(fd, faults);
        continue;
      }
      fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
      if (fd < 0) continue;
      if (fd >= DESCRIPTORS) {
        close(fd);
        continue;
      }
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
    }
  }
}
