/** hmac-auth on routes; on consumers it has the key that they sign with. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [
    {},
    { allowed_algorithms: ['hmac-sha256'], clock_skew: 10, signed_headers: ['date', '@request-target'] },
    { signed_headers: [], validate_request_body: true, max_req_body_size: 10, hide_credentials: true },
    { realm: 'inner', anonymous_consumer: 'a' },
  ],
  refused: [
    [{ allowed_algorithms: [] }, 'property "allowed_algorithms" validation failed'],
    [{ allowed_algorithms: ['md5'] }, 'property "allowed_algorithms" validation failed'],
    [{ clock_skew: 0 }, 'property "clock_skew" validation failed'],
    [{ signed_headers: [''] }, 'property "signed_headers" validation failed'],
    [{ validate_request_body: 1 }, 'property "validate_request_body" validation failed'],
    [{ max_req_body_size: 0 }, 'property "max_req_body_size" validation failed'],
    [{ realm: 'a"b' }, 'property "realm" validation failed'],
  ],
  consumers: {
    accepted: [{ key_id: 'a', secret_key: 'b' }],
    refused: [
      [{ key_id: 'a' }, 'property "secret_key" is required'],
      [{ secret_key: 'a' }, 'property "key_id" is required'],
      [{ key_id: '', secret_key: 'b' }, 'property "key_id" validation failed'],
      [{ key_id: 'a', secret_key: 'b'.repeat(257) }, 'property "secret_key" validation failed'],
    ],
  },
}
