/** The keys under `sluice:` in config.yaml: everything that APISIX does not have. Each bounds or times one thing. */
import { count, either, list, oneOf, section, size, text, time } from './boot-field.ts'

const ports = either<number | string>(
  0,
  'port or range of ports',
  [(raw) => typeof raw === 'number', (raw) => typeof raw === 'string'],
  [count(1, { min: 1, max: 65_535 }), text('', /^\d{1,5}\s*(-\s*\d{1,5})?$/, 'a range of ports such as 9100-9199')],
)

export const sluice = section({
  /** How sockets are driven; `auto` is the first of the others that the system allows. */
  wire: oneOf('auto', ['auto', 'uring', 'epoll', 'portable']),
  /** Ports that stream routes may open by themselves with `server_port`; empty: none. */
  stream_ports: list(ports),
  /** The database of the embedded provider, relative to the home directory. */
  data: text('data/sluice.db', /./, 'a path'),
  /** Length of the queue of connections that the kernel holds before they are accepted. */
  backlog: count(4096, { min: 1, max: 65_535 }),
  /** Idle time after which TCP keepalive probes begin, on both sides; 0: no probes. */
  tcp_keepalive: time('60s'),
  /** Silence in both directions after which a UDP session ends, where the upstream sets no timeout. */
  udp_idle_timeout: time('60s'),
  limits: section({
    /** UDP sessions of one worker on one listener. */
    udp_sessions: count(16_384, { min: 1 }),
    /** From the accepted connection to the end of the TLS handshake. */
    tls_handshake_timeout: time('10s'),
    /** How long a connection may take to send its ClientHello where routes are chosen by server name. */
    hello_timeout: time('3s'),
    /** A request line; longer ones get 414. */
    request_line: size('8k'),
    /** A request's head as a whole, its trailers, and how many fields either may have; more gets 431. */
    request_head: size('32k'),
    request_fields: count(100, { min: 1 }),
    /** Requests on one connection of a client. */
    connection_requests: count(1000, { min: 1 }),
    /** A request body that a plugin reads is kept in memory up to this, above it in a file. */
    body_memory: size('1m'),
    /** Label sets of all metrics together. */
    metric_series: count(20_000, { min: 1 }),
    /** Counters that all workers share: in-flight exchanges per endpoint, connections per limit. */
    shared_counters: count(65_536, { min: 64 }),
    /** Keys of limits that are counted at once over all workers: windows of time, buckets, breakers. */
    shared_windows: count(65_536, { min: 64 }),
    /** Chains of plugins, of one worker, that were made for a consumer on a route. */
    consumer_chains: count(4096, { min: 1 }),
    /** Changes that the embedded database remembers. */
    history: count(10_000),
  }),
  /** Where large request bodies that a plugin reads are put, relative to the home directory. */
  temporary: text('data/temporary', /./, 'a path'),
  /** TypeScript files of the user's own plugins, or folders of such, relative to the home directory. */
  extra_plugins: list(text('')),
})
