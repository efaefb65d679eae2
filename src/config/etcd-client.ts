/**
 * How this program connects to etcd: addresses, TLS, deadlines, and which endpoint is left alone after failures. The package is
 * loaded on first use, so that who needs no etcd does not pay for it.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Etcd3, IOptions } from 'etcd3'
import type { LoadedBoot } from './boot.ts'
import { ConfigError } from './config-error.ts'
import { type EtcdTls, speakTls, systemCertificates } from './etcd-tls.ts'

export interface EtcdOptions {
  readonly hosts: readonly string[]
  /** `/apisix`, without a slash at its end. */
  readonly prefix: string
  /** The longest that one call may take. */
  readonly timeoutMs: number
  /** After so long without news, the store is asked whether there really is none. */
  readonly silenceMs: number
  /** Pause after a failure; up to half of it is added at random. */
  readonly resyncMs: number
  /** How long an endpoint is left alone after three failures. */
  readonly restMs: number
  /** Further tries at start before the last good configuration is used. */
  readonly startupRetry: number
  readonly auth: { readonly username: string; readonly password: string } | undefined
  readonly tls: EtcdTls | undefined
}

/** Largest message that is taken from etcd: a page of values, or what a watch was behind. */
const maxMessageBytes = 256 << 20

/** From `deployment.etcd`. Reads the certificates; throws ConfigError where one cannot be read. */
export function etcdOptions({ conf, home, file }: LoadedBoot): EtcdOptions {
  const { etcd } = conf.deployment
  const { user, password } = etcd
  return {
    hosts: etcd.host.map((host) => host.replace(/\/+$/, '')),
    prefix: etcd.prefix,
    timeoutMs: etcd.timeout * 1000,
    silenceMs: etcd.watch_timeout * 1000,
    resyncMs: etcd.resync_delay * 1000,
    restMs: etcd.health_check_timeout * 1000,
    startupRetry: etcd.startup_retry,
    auth: user === undefined || password === undefined ? undefined : { username: user, password },
    tls: etcd.host.some((host) => host.startsWith('https:')) ? readTls() : undefined,
  }

  function readTls(): EtcdTls {
    const { ssl_trusted_certificate } = conf.apisix.ssl
    const system = ssl_trusted_certificate === 'system'
    return {
      ca: system ? systemCertificates() : read('apisix.ssl.ssl_trusted_certificate', ssl_trusted_certificate),
      cert: read('deployment.etcd.tls.cert', etcd.tls.cert),
      key: read('deployment.etcd.tls.key', etcd.tls.key),
      verify: etcd.tls.verify,
      sni: etcd.tls.sni,
    }
  }

  function read(path: string, pem: string | undefined): Buffer | undefined {
    try {
      return pem === undefined ? undefined : readFileSync(resolve(home, pem))
    } catch (cause) {
      throw new ConfigError({ file, path, line: undefined }, `${pem} cannot be read`, cause)
    }
  }
}

/** A client that has not connected yet. `close()` it when done. */
export async function createEtcdClient(options: EtcdOptions): Promise<Etcd3> {
  const { Etcd3: Client, isRecoverableError } = await import('etcd3')
  const client = new Client({
    hosts: [...options.hosts],
    ...(options.auth === undefined ? {} : { auth: options.auth }),
    grpcOptions: {
      'grpc.max_receive_message_length': maxMessageBytes,
      // a connection that a firewall forgot is noticed without traffic; etcd allows one ping in 5 s
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 5000,
    },
    defaultCallOptions: (context) => (context.isStream ? {} : { deadline: Date.now() + options.timeoutMs }),
    faultHandling: faultHandling(options, isRecoverableError),
  })
  if (options.tls !== undefined) speakTls(client, options.tls)
  return client
}

type FaultHandling = NonNullable<IOptions['faultHandling']>
type Policy = NonNullable<FaultHandling['global']>

/** Each endpoint once per call; one that failed three times running rests, unless all of them do. */
function faultHandling(options: EtcdOptions, isRecoverable: (error: Error) => boolean): FaultHandling {
  const rests = new Map<string, { failures: number; until: number }>()
  const resting = (host: string, now: number) => (rests.get(host)?.until ?? 0) > now
  return {
    global: policy(async (run) => {
      for (let left = options.hosts.length - 1; ; left--) {
        try {
          return await run()
        } catch (error) {
          if (left === 0 || !(error instanceof Error) || !isRecoverable(error)) throw error
        }
      }
    }),
    host: (host) => {
      const state = { failures: 0, until: 0 }
      rests.set(host, state)
      return policy(async (run) => {
        const now = Date.now()
        const others = options.hosts.some((other) => other !== host && !resting(other, now))
        if (resting(host, now) && others) throw new Error(`${host} rests after failures`)
        try {
          const result = await run()
          state.failures = 0
          return result
        } catch (error) {
          if (error instanceof Error && isRecoverable(error) && ++state.failures >= 3) {
            state.failures = 0
            state.until = now + options.restMs
          }
          throw error
        }
      })
    },
  }
}

/** The package calls nothing of a policy but `execute`. */
function policy(execute: <T>(run: () => PromiseLike<T> | T) => Promise<T>): Policy {
  return { execute } as unknown as Policy
}
