/** The door for guests: all that protocols and plugins, built in or a user's own, may use. Re-exports only. */
export { IpSet } from './base/ip-set.ts'
export type { Json, JsonObject, JsonSchema } from './base/json.ts'
export { type CompiledSchema, compileGivenSchema, compileSchema } from './base/json-schema.ts'
export { compilePattern, compileReplacement, compileSubstitution, type Substituted } from './base/pattern.ts'
export type { SharedCounter, SharedCounters } from './base/shared-counters.ts'
export type { SharedState, SharedWindows, SharedWindowTable, Taken } from './base/shared-windows.ts'
export { compileTemplate, type Template } from './base/template.ts'
export { after, every, sleep, type Timer, type TimerOwner, TimerWheel } from './base/timers.ts'
export { type Code, codes, type Failures, GatewayError, type Kind } from './errors.ts'
export { clientInList, readAddress, type ToldAddress } from './exchange/client-address.ts'
export type { Endpoint, Load } from './exchange/endpoint.ts'
export type { Attempt, Exchange, HelloInfo, RouteInfo, StreamExchange } from './exchange/exchange.ts'
export type { FieldBlock, Writing } from './exchange/field-block.ts'
export { HeaderList } from './exchange/header-list.ts'
export type {
  BodyReceiver,
  CollectedBody,
  ConsumerInfo,
  HttpExchange,
  HttpRequest,
  RequestBody,
  ResponseHead,
} from './exchange/http-exchange.ts'
export { HttpSession } from './exchange/http-session.ts'
export { encodePath, normalisePath, type RequestPath } from './exchange/request-path.ts'
export { StreamSession } from './exchange/stream-session.ts'
export type { Link, Receiver, TlsInfo } from './net/link.ts'
export { type Outgoing, outgoingDatagrams, outgoingStream } from './net/outgoing-lines.ts'
export { type RelayOptions, type RelayOutcome, relay } from './net/relay.ts'
export { loadAuthorities } from './net/tls/authorities.ts'
export { type AccessLog, createAccessLog } from './observability/access-log.ts'
export type {
  Counter,
  CounterFamily,
  Gauge,
  GaugeFamily,
  Histogram,
  HistogramFamily,
  Metrics,
} from './observability/metrics.ts'
export { attachAnonymous, attachConsumer } from './plugin/attach-consumer.ts'
export { BatchQueue, type BatchSettings, type Deliver, PartialDelivery } from './plugin/batch-queue.ts'
export type { ConsumerDirectory, ConsumerMatch } from './plugin/consumer-directory.ts'
export {
  type BatchConf,
  batchAttributes,
  type LogConf,
  logAttributes,
  logFault,
  logFormatsFault,
  logMetadataAttributes,
  logMetadataSchema,
} from './plugin/log-attributes.ts'
export { compileLogEntry, fullLogEntry, type LogEntry, type LogFormatter } from './plugin/log-entry.ts'
export { batchLoggerPhases, batchSettings, loggerPhases } from './plugin/logger.ts'
export type { Output } from './plugin/outputs.ts'
export type {
  Answer,
  AnyPlugin,
  BodyFilter,
  Build,
  Coding,
  OtherPlugins,
  Phases,
  Plugin,
  Step,
} from './plugin/plugin.ts'
export type {
  HttpClient,
  HttpClientLimits,
  HttpConnection,
  HttpProtocol,
  HttpRoad,
  HttpSettings,
  HttpSink,
  HttpWire,
  RefusalAnswer,
  ResponseReceiver,
  SinkOwner,
  UpstreamRequest,
} from './protocol/http-protocol.ts'
export type {
  AttemptReceiver,
  Beginning,
  Client,
  ClientLimits,
  Protocol,
  Road,
  StreamWire,
} from './protocol/protocol.ts'
export { idSchema } from './resources/common-fields.ts'
export { upstreamSchema } from './resources/upstream-schema.ts'
export { checkExpression } from './route/expression.ts'
