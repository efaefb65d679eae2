/** Errors of the system from their numbers, as Node's own modules make them. */
import { getSystemErrorMessage, getSystemErrorName } from 'node:util'
import { unixPath } from '../address.ts'

/** `errno` is negative, as libuv has it. */
export function systemError(errno: number, syscall: string, address?: string, port?: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(errno)
  const where = address === undefined ? '' : ` ${unixPath(address) ?? `${address}:${port}`}`
  const error = new Error(`${syscall} ${code}: ${getSystemErrorMessage(errno)}${where}`)
  return Object.assign(error, { errno, code, syscall }, address === undefined ? undefined : { address, port })
}
