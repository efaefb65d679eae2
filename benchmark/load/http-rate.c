/*
 * http-rate PORT CONNECTIONS RATE SECONDS PATH [HEADER…]: GET requests over HTTP/1.1, RATE of them a second, on connections that
 * are kept. An answer needs a Content-Length. A connection that the other side closes between answers is opened again. Answers
 * other than 200 and connections lost within an answer are failures; so are requests that wait longer than 10 ms at the end.
 */
#define _GNU_SOURCE
#include "open-loop.h"

#include <strings.h>

enum { HEAD = 16384 };

struct conversation {
  int fd;
  int busy;
  /* Bytes of the head so far; bytes of the body still to come, once the head is whole. */
  int head;
  long body;
  int whole;
  int closing;
  uint64_t turn;
  char text[HEAD + 1];
};

static char buffer[1 << 18];
static char request[4096];
static int request_bytes;
static struct conversation conversations[1024];
static struct schedule schedule;
static struct sockaddr_in address;
static int epoll;
static uint64_t units, failures;

static void open_connection(struct conversation *c) {
  int on = 1;
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(c->fd, (void *)&address, sizeof address) != 0) fail("connect");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)(c - conversations)};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) != 0) fail("epoll_ctl");
}

static void ask(struct conversation *c) {
  c->busy = 1;
  c->head = c->whole = c->closing = 0;
  if (send(c->fd, request, (size_t)request_bytes, 0) == request_bytes) return;
  /* Closed by the other side while it was idle, and not yet seen here. */
  close(c->fd);
  open_connection(c);
  if (send(c->fd, request, (size_t)request_bytes, 0) != request_bytes) fail("send");
}

static int64_t due_of(const struct conversation *c) { return due_at(&schedule, (int)(c - conversations), c->turn); }

static void begin_body(struct conversation *c, const char *end) {
  const char *length = strcasestr(c->text, "\r\nContent-Length:");
  const char *connection = strcasestr(c->text, "\r\nConnection:");
  if (length == NULL || length > end) {
    fprintf(stderr, "an answer without Content-Length:\n%s\n", c->text);
    exit(1);
  }
  c->whole = 1;
  c->closing = connection != NULL && connection < end && strncasecmp(connection + 13, " close", 6) == 0;
  c->body = atol(length + 17) - (c->head - (end + 4 - c->text));
  if (strncmp(c->text, "HTTP/1.1 200", 12) != 0) failures++;
}

/* Whether the answer is complete. */
static int take(struct conversation *c, long got) {
  if (c->whole) {
    c->body -= got;
    return c->body <= 0;
  }
  long room = HEAD - c->head;
  if (got > room) got = room;
  memcpy(c->text + c->head, buffer, (size_t)got);
  c->head += (int)got;
  c->text[c->head] = 0;
  const char *end = strstr(c->text, "\r\n\r\n");
  if (end != NULL) begin_body(c, end);
  return c->whole && c->body <= 0;
}

static void receive(struct conversation *c) {
  /* No more than fits behind the head, so that a small body that comes with it is seen whole. */
  size_t most = c->whole ? sizeof buffer : (size_t)(HEAD - c->head);
  ssize_t got = recv(c->fd, buffer, most, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    close(c->fd);
    open_connection(c);
    if (!c->busy) return;
    failures++;
    ask(c);
    return;
  }
  if (!take(c, got)) return;
  int64_t now = now_ns();
  latency_add(now - due_of(c));
  units++;
  c->busy = 0;
  c->turn++;
  if (c->closing) {
    close(c->fd);
    open_connection(c);
  }
  if (due_of(c) <= now && now < schedule.end) ask(c);
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  signal(SIGPIPE, SIG_IGN);
  address = loopback(1, atoi(argv[1]));
  int connections = atoi(argv[2]);
  if (connections > 1024) return 2;
  request_bytes = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost:%s\r\n", argv[5], argv[1]);
  for (int i = 6; i < argc; i++) {
    request_bytes += snprintf(request + request_bytes, sizeof request - (size_t)request_bytes, "%s\r\n", argv[i]);
  }
  request_bytes += snprintf(request + request_bytes, sizeof request - (size_t)request_bytes, "\r\n");
  epoll = epoll_create1(0);
  for (int i = 0; i < connections; i++) open_connection(&conversations[i]);

  schedule = schedule_from(now_ns(), connections, atof(argv[3]), atof(argv[4]));
  struct epoll_event events[256];
  for (int64_t now = now_ns(); now < schedule.end; now = now_ns()) {
    for (; next_due(&schedule) <= now; schedule.cursor++) {
      struct conversation *c = &conversations[schedule.cursor % (uint64_t)connections];
      if (!c->busy) ask(c);
    }
    int count = wait_until_due(&schedule, epoll, events, 256);
    for (int i = 0; i < count; i++) receive(&conversations[events[i].data.u32]);
  }

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
