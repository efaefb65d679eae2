/** The `Date` of answers, made anew once a second. */

let dateText = ''
let dateSecond = 0

/** The `Date` field for now, made anew once a second. [RFC 9110 §5.6.7] */
export function httpDate(): string {
  const second = Math.floor(Date.now() / 1000)
  if (second !== dateSecond) {
    dateSecond = second
    dateText = new Date(second * 1000).toUTCString()
  }
  return dateText
}
