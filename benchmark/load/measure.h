/*
 * What all generators share: the clock, a histogram of latencies and the one line of JSON that they end with.
 * Everything stays on 127.0.0.x.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static inline int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline struct sockaddr_in loopback(int host, int port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET,
      .sin_port = htons((uint16_t)port),
      .sin_addr.s_addr = htonl(0x7f000000u + (uint32_t)host),
  };
}

static inline void fail(const char *what) {
  perror(what);
  exit(1);
}

static inline void watch(int epoll, int operation, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  if (epoll_ctl(epoll, operation, fd, &event) != 0) fail("epoll_ctl");
}

/*
 * Latencies in nanoseconds, 32 steps to each power of two: an error of at most 3 %.
 */
#define STEPS 32
static uint64_t latency_counts[64 * STEPS];
static uint64_t latency_total;

static inline int latency_index(int64_t ns) {
  uint64_t value = ns < STEPS ? STEPS : (uint64_t)ns;
  int power = 63 - __builtin_clzll(value);
  return (power - 5) * STEPS + (int)((value >> (power - 5)) - STEPS);
}

static inline void latency_add(int64_t ns) {
  latency_counts[latency_index(ns)]++;
  latency_total++;
}

/* The latency in microseconds below which this share of all lie. */
static inline double latency_percentile(double share) {
  uint64_t wanted = (uint64_t)(share * (double)latency_total);
  uint64_t seen = 0;
  for (int i = 0; i < 64 * STEPS; i++) {
    seen += latency_counts[i];
    if (seen > wanted) return (double)((uint64_t)(STEPS + i % STEPS) << (i / STEPS)) / 1000.0;
  }
  return 0;
}

static inline void report(uint64_t units, uint64_t failures, int64_t elapsed_ns) {
  printf("{\"units\":%llu,\"failures\":%llu,\"seconds\":%.6f,\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f}\n",
         (unsigned long long)units, (unsigned long long)failures, (double)elapsed_ns / 1e9, latency_percentile(0.5),
         latency_percentile(0.99), latency_percentile(0.999));
  fflush(stdout);
}

#endif
