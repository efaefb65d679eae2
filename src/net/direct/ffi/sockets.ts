/**
 * Sockets by system calls: what fails returns a negative errno. Descriptors made here are non-blocking, closed on exec, and
 * closed with the thread; they go by `closeSocket`, or away by `disown`.
 */
import { unixPath } from '../../address.ts'
import type { SocketName } from '../engine.ts'
import { call, errno } from './calls.ts'
import { allocate } from './memory.ts'
import {
  expectAddress,
  here,
  hereSize,
  inet,
  inet6,
  nowhere,
  readAddress,
  unix,
  writeAddress,
} from './socket-address.ts'
import { disown, own } from './thread.ts'

const stream = 1
const datagram = 2
const nonBlocking = 0o4000
const closeOnExec = 0o2000000

const levelIp = 0
const levelSocket = 1
const levelTcp = 6
const levelIpv6 = 41
const invalid = 22
const unsupported = 95

const options = allocate(64)
const option = new Int32Array(options.buffer)
const optionSize = options.address + 16n

function made(fd: number): number {
  if (fd < 0) return -(errno[0] as number)
  own(fd)
  return fd
}

export function openSocket(kind: 'stream' | 'datagram', host: string): number {
  const type = (kind === 'stream' ? stream : datagram) | nonBlocking | closeOnExec
  return made(call.socket(familyOf(host), type, 0))
}

function familyOf(host: string): number {
  if (unixPath(host) !== undefined) return unix
  return host.includes(':') ? inet6 : inet
}

/** The address of a connection so taken is in `here` right after. */
export function acceptSocket(fd: number): number {
  expectAddress()
  return made(call.accept4(fd, here, hereSize, nonBlocking | closeOnExec))
}

/** The descriptor must be out of every table by now: its number may come back with the next socket. */
export function closeSocket(fd: number): void {
  disown(fd)
  call.close(fd)
}

function setOption(fd: number, level: number, name: number, value: number): number {
  option[0] = value
  return call.setsockopt(fd, level, name, options.address, 4) < 0 ? -(errno[0] as number) : 0
}

/** 0, or what went wrong. Both families share the port of `::`. */
export function bindSocket(fd: number, host: string, port: number, reuse: 'address' | 'port' | 'both' | 'no'): number {
  const size = writeAddress(host, port)
  if (size === 0) return -invalid
  if (unixPath(host) !== undefined) return reuse === 'both' || reuse === 'port' ? -unsupported : bindHere(fd, size)
  if (reuse === 'address' || reuse === 'both') setOption(fd, levelSocket, 2, 1)
  if (reuse === 'port' || reuse === 'both') {
    const error = setOption(fd, levelSocket, 15, 1)
    if (error < 0) return error
  }
  if (size === 28) setOption(fd, levelIpv6, 26, 0)
  return bindHere(fd, size)
}

function bindHere(fd: number, size: number): number {
  return call.bind(fd, here, size) < 0 ? -(errno[0] as number) : 0
}

export function listenSocket(fd: number, backlog: number): number {
  return call.listen(fd, backlog) < 0 ? -(errno[0] as number) : 0
}

/** For datagrams: done at once. For streams -EINPROGRESS, as a rule. */
export function connectSocket(fd: number, address: bigint, size: number): number {
  return call.connect(fd, address, size) < 0 ? -(errno[0] as number) : 0
}

/** What an asynchronous operation has come to: 0 or an errno, positive, told once. */
export function takeError(fd: number): number {
  option[4] = 4
  return call.getsockopt(fd, levelSocket, 4, options.address, optionSize) < 0
    ? (errno[0] as number)
    : (option[0] as number)
}

export function localName(fd: number): SocketName {
  expectAddress()
  return call.getsockname(fd, here, hereSize) < 0 ? nowhere : readAddress()
}

export function remoteName(fd: number): SocketName {
  expectAddress()
  return call.getpeername(fd, here, hereSize) < 0 ? nowhere : readAddress()
}

export function shutSending(fd: number): number {
  return call.shutdown(fd, 1) < 0 ? -(errno[0] as number) : 0
}

/** Segments leave as they are written. Set on a listening socket it holds for what it accepts, as the next. */
export function setNoDelay(fd: number): void {
  setOption(fd, levelTcp, 1, 1)
}

/** Probes after `idleMs` of silence, every second then; the tenth that is not answered ends the connection. */
export function setKeepAlive(fd: number, idleMs: number): void {
  setOption(fd, levelSocket, 9, 1)
  setOption(fd, levelTcp, 4, Math.max(1, Math.ceil(idleMs / 1000)))
  setOption(fd, levelTcp, 5, 1)
  setOption(fd, levelTcp, 6, 10)
}

/** The next close is a reset. */
export function setReset(fd: number): void {
  option[0] = 1
  option[1] = 0
  call.setsockopt(fd, levelSocket, 13, options.address, 8)
}

/** As much as the system allows. */
export function setReceiveRoom(fd: number, bytes: number): void {
  setOption(fd, levelSocket, 8, bytes)
}

/** Each datagram comes with the local address that it was sent to. */
export function setPacketInfo(fd: number, family: number): number {
  return family === inet6 ? setOption(fd, levelIpv6, 49, 1) : setOption(fd, levelIp, 8, 1)
}
