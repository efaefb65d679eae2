/** Every plugin that is built in, in no particular order: priorities decide. */
import type { AnyPlugin } from '#sdk'
import { apiBreaker } from './api-breaker.ts'
import { basicAuth } from './basic-auth.ts'
import { clientControl } from './client-control.ts'
import { consumerRestriction } from './consumer-restriction.ts'
import { cors } from './cors.ts'
import { echo } from './echo.ts'
import { faultInjection } from './fault-injection.ts'
import { fileLogger } from './file-logger.ts'
import { gzip } from './gzip/index.ts'
import { hmacAuth } from './hmac-auth.ts'
import { httpLogger } from './http-logger.ts'
import { ipRestriction, streamIpRestriction } from './ip-restriction.ts'
import { jwtAuth } from './jwt-auth/index.ts'
import { keyAuth } from './key-auth.ts'
import { limitConn, streamLimitConn } from './limit-conn/index.ts'
import { limitCount } from './limit-count/index.ts'
import { limitReq } from './limit-req.ts'
import { mocking } from './mocking/index.ts'
import { prometheus, streamPrometheus } from './prometheus/index.ts'
import { proxyMirror } from './proxy-mirror/index.ts'
import { proxyRewrite } from './proxy-rewrite.ts'
import { publicApi } from './public-api.ts'
import { realIp } from './real-ip.ts'
import { redirect } from './redirect.ts'
import { refererRestriction } from './referer-restriction.ts'
import { requestId } from './request-id.ts'
import { requestValidation } from './request-validation.ts'
import { responseRewrite } from './response-rewrite.ts'
import { streamSyslog, syslog } from './syslog.ts'
import { tcpLogger } from './tcp-logger.ts'
import { trafficSplit } from './traffic-split/index.ts'
import { uaRestriction } from './ua-restriction.ts'
import { udpLogger } from './udp-logger.ts'
import { uriBlocker } from './uri-blocker.ts'
import { workflow } from './workflow.ts'

export const plugins: readonly AnyPlugin[] = [
  clientControl,
  requestValidation,
  responseRewrite,
  basicAuth,
  cors,
  fileLogger,
  httpLogger,
  streamSyslog,
  syslog,
  tcpLogger,
  udpLogger,
  mocking,
  prometheus,
  streamPrometheus,
  proxyMirror,
  proxyRewrite,
  consumerRestriction,
  requestId,
  redirect,
  faultInjection,
  echo,
  ipRestriction,
  gzip,
  hmacAuth,
  jwtAuth,
  keyAuth,
  limitConn,
  streamLimitConn,
  limitCount,
  limitReq,
  apiBreaker,
  workflow,
  publicApi,
  realIp,
  refererRestriction,
  streamIpRestriction,
  trafficSplit,
  uaRestriction,
  uriBlocker,
]
