/** api-breaker, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

const most = { break_response_code: 502 }

export const samples: PluginSamples = {
  accepted: [
    most,
    { ...most, unhealthy: { http_statuses: [500, 503], failures: 3 }, healthy: { http_statuses: [200], successes: 1 } },
    { ...most, unhealthy: { failures: 1 }, healthy: {}, max_breaker_sec: 3 },
    {
      ...most,
      break_response_body: '{"message":"breaker opened."}',
      break_response_headers: [{ key: 'X-Client', value: '$remote_addr:$remote_port' }],
    },
  ],
  refused: [
    [{}, 'property "break_response_code" is required'],
    [{ break_response_code: 199 }, 'expected 199 to be at least 200'],
    [{ ...most, max_breaker_sec: -1 }, 'expected -1 to be at least 3'],
    [{ ...most, unhealthy: { http_statuses: [499] } }, 'expected 499 to be at least 500'],
    [{ ...most, healthy: { http_statuses: [500] } }, 'expected 500 to be at most 499'],
    [{ ...most, unhealthy: { http_statuses: [500, 500] } }, 'unique'],
    [{ ...most, healthy: { successes: 0 } }, 'expected 0 to be at least 1'],
    [{ ...most, break_response_headers: [{ key: 'a' }] }, 'property "value" is required'],
  ],
}
