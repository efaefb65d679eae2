/** How long a closing link may take to get rid of what it accepted for sending. */
export const lingerMs = 5000
