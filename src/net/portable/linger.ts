/** How links close that still have something to send, or may have left something unread. */

/** How long a closing link may take to get rid of what it accepted for sending. */
export const lingerMs = 5000
/** What a closing link reads and drops, waiting for the peer's end; a peer that sends more is cut off. */
export const maxDiscardedBytes = 1024 * 1024
