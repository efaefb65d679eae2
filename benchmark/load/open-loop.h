/*
 * Requests at a fixed rate, whether answers come or not: request number k is due at start + k / rate, on connection k modulo
 * their number. Latency counts from when a request was due, so one that had to wait behind a slow answer counts with its wait.
 */
#ifndef OPEN_LOOP_H
#define OPEN_LOOP_H

#include "measure.h"

#include <sys/prctl.h>

struct schedule {
  int64_t start;
  int64_t end;
  double interval;
  int connections;
  /* The next request that no connection was told of yet. */
  uint64_t cursor;
};

static inline struct schedule schedule_from(int64_t start, int connections, double rate, double seconds) {
  /* Waits are then as exact as the kernel's clock; they are rounded up to 50 µs otherwise. */
  prctl(PR_SET_TIMERSLACK, 1);
  return (struct schedule){
      .start = start,
      .end = start + (int64_t)(seconds * 1e9),
      .interval = 1e9 / rate,
      .connections = connections,
  };
}

/* When the request `turn` of a connection is due. */
static inline int64_t due_at(const struct schedule *s, int connection, uint64_t turn) {
  return s->start + (int64_t)((double)(turn * (uint64_t)s->connections + (uint64_t)connection) * s->interval);
}

static inline int64_t next_due(const struct schedule *s) {
  return s->start + (int64_t)((double)s->cursor * s->interval);
}

/* Waits for events, at most until the next request is due. */
static inline int wait_until_due(const struct schedule *s, int epoll, struct epoll_event *events, int size) {
  int64_t left = next_due(s) - now_ns();
  if (left < 0) left = 0;
  struct timespec wait = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
  return epoll_pwait2(epoll, events, size, &wait, NULL);
}

#endif
