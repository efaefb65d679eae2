/*
 * tcp-rate PORT CONNECTIONS BYTES RATE SECONDS: messages out and the same number of bytes back, RATE of them a second.
 * A message that was due and is not answered at the end counts with the time it has waited; those that wait longer than 10 ms
 * then are failures too.
 */
#define _GNU_SOURCE
#include "open-loop.h"

struct conversation {
  int fd;
  int busy;
  long received;
  uint64_t turn;
};

static char buffer[1 << 18];
static struct conversation conversations[4096];
static struct schedule schedule;
static long message;

static void ask(struct conversation *c) {
  c->busy = 1;
  c->received = 0;
  if (send(c->fd, buffer, (size_t)message, 0) != message) fail("send");
}

static int64_t due_of(const struct conversation *c) { return due_at(&schedule, (int)(c - conversations), c->turn); }

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  signal(SIGPIPE, SIG_IGN);
  int connections = atoi(argv[2]);
  if (connections > 4096) return 2;
  message = atol(argv[3]);
  struct sockaddr_in address = loopback(1, atoi(argv[1]));
  int epoll = epoll_create1(0);
  for (int i = 0; i < connections; i++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (connect(fd, (void *)&address, sizeof address) != 0) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    conversations[i].fd = fd;
  }

  schedule = schedule_from(now_ns(), connections, atof(argv[4]), atof(argv[5]));
  uint64_t units = 0;
  struct epoll_event events[256];
  for (int64_t now = now_ns(); now < schedule.end; now = now_ns()) {
    for (; next_due(&schedule) <= now; schedule.cursor++) {
      struct conversation *c = &conversations[schedule.cursor % (uint64_t)connections];
      if (!c->busy) ask(c);
    }
    int count = wait_until_due(&schedule, epoll, events, 256);
    for (int i = 0; i < count; i++) {
      struct conversation *c = &conversations[events[i].data.u32];
      ssize_t got = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got < 0 && errno == EAGAIN) continue;
      if (got <= 0) fail("a connection was closed");
      c->received += got;
      if (c->received < message) continue;
      now = now_ns();
      latency_add(now - due_of(c));
      units++;
      c->busy = 0;
      c->turn++;
      if (due_of(c) <= now && now < schedule.end) ask(c);
    }
  }

  uint64_t failures = 0;
  int64_t end = now_ns();
  for (struct conversation *c = conversations; c < conversations + connections; c++) {
    for (; due_of(c) < schedule.end; c->turn++) {
      latency_add(end - due_of(c));
      if (end - due_of(c) > 10000000) failures++;
    }
  }
  report(units, failures, end - schedule.start);
  return 0;
}
