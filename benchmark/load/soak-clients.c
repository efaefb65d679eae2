/*
 * soak-clients PORT HOST KEPT SESSIONS TRIPS PATIENCE_MS SEED: messages of random sizes there and back, each byte compared, on KEPT
 * connections that live for many of them and on sessions of one each, a session for every TRIPS round trips, SESSIONS at once at
 * most. Connections end in every way there is: closed, half-closed, reset, abandoned within a message. Prints what has happened
 * so far four times a second, until it is killed.
 */
#define _GNU_SOURCE
#include "measure.h"
#include "tile.h"

enum { SLOTS = 4096, BACKOFF_MS = 20, SWEEP_MS = 50, REPORT_MS = 250, REFILL_NS = 200000 };
enum state { FREE, CONNECTING, TALKING, DRAINING };
enum ending { CLOSE, HALF_CLOSE, RESET, ABANDON };

struct client {
  int fd;
  enum state state;
  enum ending ending;
  uint32_t stream;
  uint32_t generation;
  uint32_t events;
  int trips_left;
  long out_left, in_left;
  uint64_t sent, received;
  /* When something last happened; when it reads again, or is opened again. */
  int64_t moved, waits_until;
};

static struct client clients[SLOTS];
static unsigned char buffer[1 << 18];
static struct dice dice;
static struct sockaddr_in address;
static int epoll, host, kept, sessions;
static uint32_t streams;
static uint64_t trips, connections, refused, cut, gave_up, wrong, bytes, begun_sessions;
static int64_t now;

static int is_kept(const struct client *c) { return c - clients < kept; }

static void want(struct client *c, uint32_t events) {
  if (events == c->events) return;
  struct epoll_event event = {
      .events = events,
      .data.u64 = (uint64_t)c->generation << 32 | (uint32_t)(c - clients),
  };
  if (epoll_ctl(epoll, c->state == CONNECTING ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, c->fd, &event) != 0) fail("epoll_ctl");
  c->events = events;
}

static void begin(struct client *c) {
  int on = 1;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) fail("socket");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  /* Many source addresses, and the port chosen at connect: enough of them although each rests after use. */
  setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  struct sockaddr_in source = loopback(host + (int)roll(&dice, 8), 0);
  if (bind(c->fd, (void *)&source, sizeof source) != 0) fail("bind");
  c->generation++;
  c->events = 0;
  c->state = CONNECTING;
  c->stream = streams;
  streams += 17;
  c->sent = c->received = 0;
  c->in_left = c->out_left = 0;
  c->trips_left = is_kept(c) ? 1 + (int)roll(&dice, 3000) : 1;
  uint32_t kind = roll(&dice, 10);
  c->ending = kind < 5 ? CLOSE : kind < 7 ? HALF_CLOSE : kind < 9 ? RESET : ABANDON;
  c->moved = now;
  c->waits_until = 0;
  if (connect(c->fd, (void *)&address, sizeof address) != 0 && errno != EINPROGRESS) fail("connect");
  want(c, EPOLLOUT);
}

static void finish(struct client *c, int with_reset) {
  if (with_reset) {
    struct linger reset = {1, 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  close(c->fd);
  c->state = FREE;
  c->waits_until = 0;
}

/* It ended otherwise than this end had decided. */
static void lose(struct client *c, uint64_t *counter) {
  (*counter)++;
  finish(c, 1);
  c->waits_until = now + (int64_t)BACKOFF_MS * 1000000;
}

static void push(struct client *c) {
  while (c->out_left > 0) {
    size_t size = c->out_left < LARGEST ? (size_t)c->out_left : LARGEST;
    ssize_t n = send(c->fd, content(c->stream, c->sent), size, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) break;
    if (n <= 0) {
      lose(c, &cut);
      return;
    }
    c->moved = now;
    c->sent += (uint64_t)n;
    c->out_left -= n;
  }
  want(c, (c->waits_until > now ? 0 : EPOLLIN) | (c->out_left > 0 ? EPOLLOUT : 0));
}

static void talk(struct client *c) {
  uint32_t kind = is_kept(c) ? roll(&dice, 10000) : 0;
  long size = kind < 9000 ? 100 : 1 + roll(&dice, kind < 9950 ? 2000 : kind < 9998 ? 60000 : LARGEST);
  c->state = TALKING;
  c->out_left = c->in_left = size;
  /* A reader that is slow for a while: the gateway has to hold the sender back. */
  if (size > 30000 && roll(&dice, 2) == 0) c->waits_until = now + (int64_t)roll(&dice, 300) * 1000000;
  push(c);
}

static void conclude(struct client *c) {
  connections++;
  if (c->ending == HALF_CLOSE) {
    c->state = DRAINING;
    if (shutdown(c->fd, SHUT_WR) != 0) lose(c, &cut);
    return;
  }
  if (c->ending == ABANDON) {
    ssize_t ignored = send(c->fd, content(c->stream, c->sent), 1 + roll(&dice, 50000), MSG_DONTWAIT);
    (void)ignored;
  }
  finish(c, c->ending == RESET);
}

static void pull(struct client *c) {
  ssize_t got = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    if (got == 0 && c->state == DRAINING) finish(c, 0);
    else lose(c, &cut);
    return;
  }
  c->moved = now;
  if (got > c->in_left || memcmp(buffer, content(c->stream, c->received), (size_t)got) != 0) {
    fprintf(stderr, "wrong bytes: stream %u at %llu, %ld of %ld\n", c->stream, (unsigned long long)c->received, (long)got,
            c->in_left);
    wrong++;
    finish(c, 1);
    return;
  }
  bytes += (uint64_t)got;
  c->received += (uint64_t)got;
  c->in_left -= got;
  if (c->in_left > 0 || c->out_left > 0) return;
  trips++;
  if (--c->trips_left > 0) talk(c);
  else conclude(c);
}

static void serve(struct client *c, uint32_t events) {
  if (c->state == CONNECTING) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) lose(c, &refused);
    else talk(c);
    return;
  }
  uint32_t generation = c->generation;
  if (events & EPOLLOUT) push(c);
  if (c->state == FREE || c->generation != generation) return;
  if (c->waits_until > now && !(events & (EPOLLERR | EPOLLHUP))) return;
  if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) pull(c);
}

static void refill(struct client *c, uint64_t trips_per_session) {
  if (c->state != FREE || c->waits_until > now) return;
  if (!is_kept(c)) {
    if (begun_sessions * trips_per_session > trips) return;
    begun_sessions++;
  }
  begin(c);
}

static void sweep(int64_t patience_ns) {
  for (struct client *c = clients; c < clients + kept + sessions; c++) {
    if (c->state == FREE) continue;
    if (c->state == TALKING && c->waits_until != 0 && c->waits_until <= now) {
      c->waits_until = 0;
      push(c);
    }
    if (c->state != FREE && now - c->moved > patience_ns) lose(c, &gave_up);
  }
}

static void tell(void) {
  printf("{\"trips\":%llu,\"connections\":%llu,\"refused\":%llu,\"cut\":%llu,\"gaveUp\":%llu,\"wrong\":%llu,\"bytes\":%llu}\n",
         (unsigned long long)trips, (unsigned long long)connections, (unsigned long long)refused, (unsigned long long)cut,
         (unsigned long long)gave_up, (unsigned long long)wrong, (unsigned long long)bytes);
  fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc != 8) return 2;
  signal(SIGPIPE, SIG_IGN);
  address = loopback(1, atoi(argv[1]));
  host = atoi(argv[2]);
  kept = atoi(argv[3]);
  sessions = atoi(argv[4]);
  uint64_t trips_per_session = (uint64_t)atoll(argv[5]);
  int64_t patience_ns = (int64_t)atoi(argv[6]) * 1000000;
  if (kept + sessions > SLOTS) return 2;
  dice = dice_from((uint32_t)atoi(argv[7]));
  streams = roll(&dice, 1u << 30);
  paint_tile();
  epoll = epoll_create1(0);

  int64_t refilled = 0, swept = now_ns(), told = swept;
  struct epoll_event events[256];
  for (;;) {
    int64_t before = now_ns();
    int count = epoll_wait(epoll, events, 256, 10);
    now = now_ns();
    if (now - before > 500000000) {
      /* This process was stopped for a while, which is nobody's fault. */
      for (struct client *c = clients; c < clients + kept + sessions; c++) c->moved += now - before;
    }
    for (int i = 0; i < count; i++) {
      struct client *c = &clients[events[i].data.u64 & 0xffffffffu];
      if (c->state != FREE && c->generation == events[i].data.u64 >> 32) serve(c, events[i].events);
    }
    if (now - refilled > REFILL_NS) {
      refilled = now;
      for (struct client *c = clients; c < clients + kept + sessions; c++) refill(c, trips_per_session);
    }
    if (now - swept > (int64_t)SWEEP_MS * 1000000) {
      swept = now;
      sweep(patience_ns);
    }
    if (now - told < (int64_t)REPORT_MS * 1000000) continue;
    told = now;
    tell();
  }
}
