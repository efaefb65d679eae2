/*
 * soak-udp PORT HOST SOCKETS RATE SEED: datagrams of random sizes there and back, RATE of them a second, each byte of an answer
 * compared. A socket lives for some of them, so that sessions begin and end. What is not back after half a second counts as lost,
 * or as late when it comes after all. Prints what has happened so far four times a second, until it is killed.
 */
#define _GNU_SOURCE
#include "measure.h"
#include "tile.h"

enum { SOCKETS = 1024, LONGEST = 1400, LIFE = 100, PATIENCE_MS = 500, REPORT_MS = 250 };

/* A datagram says which it is, and carries what that number stands for. */
struct head {
  uint32_t stream, number;
};

struct client {
  int fd;
  uint32_t stream, number;
  int waiting, left;
  int64_t sent_at;
};

static struct client clients[SOCKETS];
static unsigned char buffer[65536];
static struct dice dice;
static struct sockaddr_in address;
static int epoll, host;
static uint32_t streams;
static uint64_t trips, sessions, lost, late, wrong;

static void open_client(struct client *c) {
  struct sockaddr_in source = loopback(host, 0);
  c->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (bind(c->fd, (void *)&source, sizeof source) != 0) fail("bind");
  if (connect(c->fd, (void *)&address, sizeof address) != 0) fail("connect");
  c->stream = streams;
  streams += 17;
  c->number = 0;
  c->waiting = 0;
  c->left = LIFE / 2 + (int)roll(&dice, LIFE);
  sessions++;
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)(c - clients)};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) != 0) fail("epoll_ctl");
}

static void ask(struct client *c, int64_t now) {
  /* Not while an answer may be on its way: it would count as lost. */
  if (c->left-- <= 0 && !c->waiting) {
    close(c->fd);
    open_client(c);
  }
  struct head head = {.stream = c->stream, .number = ++c->number};
  size_t size = sizeof head + roll(&dice, LONGEST);
  memcpy(buffer, &head, sizeof head);
  memcpy(buffer + sizeof head, content(head.stream, head.number), size - sizeof head);
  c->waiting = 1;
  c->sent_at = now;
  send(c->fd, buffer, size, 0);
}

static void receive(struct client *c) {
  ssize_t got = recv(c->fd, buffer, sizeof buffer, 0);
  if (got < 0) return;
  struct head head = {0};
  if (got >= (ssize_t)sizeof head) memcpy(&head, buffer, sizeof head);
  size_t rest = got < (ssize_t)sizeof head ? 0 : (size_t)got - sizeof head;
  if (head.stream != c->stream || memcmp(buffer + sizeof head, content(head.stream, head.number), rest) != 0) {
    fprintf(stderr, "wrong datagram: %u %u instead of %u %u\n", head.stream, head.number, c->stream, c->number);
    wrong++;
  }
  if (head.number != c->number) {
    /* Taken for lost before. */
    if (lost > 0) lost--;
    late++;
    return;
  }
  c->waiting = 0;
  trips++;
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  address = loopback(1, atoi(argv[1]));
  host = atoi(argv[2]);
  int sockets = atoi(argv[3]);
  if (sockets > SOCKETS) return 2;
  double rate = atof(argv[4]);
  dice = dice_from((uint32_t)atoi(argv[5]));
  streams = roll(&dice, 1u << 30);
  paint_tile();
  epoll = epoll_create1(0);
  for (int i = 0; i < sockets; i++) open_client(&clients[i]);

  int64_t told = now_ns(), last = told;
  double due = 0;
  int turn = 0;
  struct epoll_event events[256];
  for (;;) {
    int count = epoll_wait(epoll, events, 256, 1);
    int64_t now = now_ns();
    for (int i = 0; i < count; i++) receive(&clients[events[i].data.u32]);
    due += (double)(now - last) * rate / 1e9;
    if (due > sockets) due = sockets;
    last = now;
    for (; due >= 1; due--) {
      struct client *c = &clients[turn++ % sockets];
      if (c->waiting && now - c->sent_at < (int64_t)PATIENCE_MS * 1000000) continue;
      if (c->waiting) lost++;
      ask(c, now);
    }
    if (now - told < (int64_t)REPORT_MS * 1000000) continue;
    told = now;
    printf("{\"trips\":%llu,\"connections\":%llu,\"lost\":%llu,\"late\":%llu,\"wrong\":%llu}\n", (unsigned long long)trips,
           (unsigned long long)sessions, (unsigned long long)lost, (unsigned long long)late, (unsigned long long)wrong);
    fflush(stdout);
  }
}
