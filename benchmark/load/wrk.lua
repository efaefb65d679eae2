-- A script for wrk: prints the line that all generators end with. Arguments behind `--`: BYTES makes each request a POST with a
-- body of that size; without it requests are GETs.
function init(args)
  if args[1] then
    wrk.method = "POST"
    wrk.body = string.rep("x", tonumber(args[1]))
  end
end

-- Latencies in microseconds, as wrk counts them: from the first byte sent, with as many requests under way as there are connections.
function done(summary, latency)
  local errors = summary.errors
  local failures = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '{"units":%d,"failures":%d,"seconds":%.6f,"p50":%.1f,"p99":%.1f,"p999":%.1f}\n',
    summary.requests, failures, summary.duration / 1e6,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)
  ))
end
