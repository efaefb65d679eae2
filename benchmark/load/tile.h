/*
 * What a stream carries, by its number and the place in it: bytes of one random tile whose length is a prime, so that neither
 * pages nor buffers are periods of it. Bytes that went astray, from another stream or another place, are seen as wrong.
 */
#ifndef TILE_H
#define TILE_H

#include <stdint.h>
#include <string.h>

enum { TILE = 65521, LARGEST = 1 << 20 };

static unsigned char tile[TILE + LARGEST];

static inline void paint_tile(void) {
  uint32_t state = 2463534242u;
  for (int i = 0; i < TILE; i++) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    tile[i] = (unsigned char)state;
  }
  for (int i = TILE; i < TILE + LARGEST; i++) tile[i] = tile[i - TILE];
}

/* At least LARGEST bytes of what stream `stream` carries from `place` on. */
static inline const unsigned char *content(uint32_t stream, uint64_t place) {
  return tile + ((uint64_t)stream * 7919 + place) % TILE;
}

struct dice {
  uint64_t state;
};

/* 0 to below - 1. */
static inline uint32_t roll(struct dice *dice, uint32_t below) {
  dice->state ^= dice->state << 13;
  dice->state ^= dice->state >> 7;
  dice->state ^= dice->state << 17;
  return (uint32_t)((dice->state >> 16) % below);
}

static inline struct dice dice_from(uint32_t seed) {
  struct dice dice = {.state = (uint64_t)(seed + 1) * 0x9e3779b97f4a7c15ull};
  for (int i = 0; i < 8; i++) roll(&dice, 2);
  return dice;
}

#endif
