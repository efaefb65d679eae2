/** Puts and takes away resources of a running gateway; a refusal is an error with the gateway's own words. */
import type { TestGateway } from './gateway.ts'

export interface Resources {
  /** `at` begins behind `/apisix/admin`. */
  put(at: string, value: unknown): Promise<void>
  /** Those that do not exist are passed over. */
  remove(...ats: readonly string[]): Promise<void>
}

export function resourcesOf(gateway: () => TestGateway): Resources {
  return {
    async put(at, value) {
      const { status, body } = await gateway().admin('PUT', at, value)
      if (status >= 300) throw new Error(`PUT ${at}: ${status} ${JSON.stringify(body)}`)
    },
    async remove(...ats) {
      for (const at of ats) {
        const { status, body } = await gateway().admin('DELETE', at)
        if (status >= 300 && status !== 404) throw new Error(`DELETE ${at}: ${status} ${JSON.stringify(body)}`)
      }
    },
  }
}
