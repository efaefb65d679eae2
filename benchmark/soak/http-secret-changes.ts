/** Lanes of an HTTP soak: certificates with new keys for the same names, consumers and their keys. Old keys must not do any more. */
import { X509Certificate } from 'node:crypto'
import { type CertificateAuthority, makeCertificate } from '../../test/support/certificates.ts'
import type { Change, ChangeSite, Lane, Step } from './http-changes.ts'

/** The first is the one that wrk connects to. */
export const certifiedNames = ['localhost', 'one.soak.test', 'two.soak.test', 'three.soak.test', 'a.wild.test']
const consumers = 12

export function certificateChanges(ca: CertificateAuthority): Lane {
  return async ({ dice, change }) => {
    const put = async (place: number): Promise<Change> => {
      const name = certifiedNames[place] ?? ''
      const sni = name.startsWith('a.') ? `*${name.slice(1)}` : name
      const { cert, key } = makeCertificate({ ca, names: [sni], type: dice.roll(8) === 0 ? 'rsa' : 'ec' })
      await change('PUT', `/ssls/${place}`, { snis: [sni], cert, key })
      const wanted = { status: 200, fingerprint: new X509Certificate(cert).fingerprint256 }
      const fresh = [{ path: '/kept', sni: name, fresh: true }, wanted] as const
      // A kept connection goes on with the certificate that it began with.
      return {
        what: `a certificate for ${sni}`,
        checks: [fresh, fresh, [{ path: '/kept', sni: name }, { status: 200 }]],
      }
    }
    for (const place of certifiedNames.keys()) await put(place)
    return () => put(dice.roll(certifiedNames.length))
  }
}

export async function consumerChanges({ dice, change }: ChangeSite): Promise<Step> {
  /** Keys that are good, by the consumer and by its credential; the last one that was. */
  const keys = new Map<string, string>()
  const old = new Map<string, string>()
  let turn = 0
  await change('PUT', '/routes/private', { uri: '/private', plugins: { 'key-auth': {} }, upstream_id: 'shared-0' })

  const give = async (at: string, id: string, more: object): Promise<void> => {
    const key = `${id}-${turn}`
    await change('PUT', at, { ...more, plugins: { 'key-auth': { key } } })
    replace(id, key)
  }
  const replace = (id: string, key: string | undefined): void => {
    const before = keys.get(id)
    if (before !== undefined) old.set(id, before)
    if (key === undefined) keys.delete(id)
    else keys.set(id, key)
  }
  /** What the keys of a consumer, and those it no longer has, must be answered. */
  const seen = (what: string, name: string): Change => ({
    what,
    checks: [name, `${name}-credential`].flatMap((id) => {
      const [key, before] = [keys.get(id), old.get(id)]
      const good = { status: 200, body: new RegExp(` x_consumer_username=${name}\n`) }
      const path = '/private'
      return [
        ...(key === undefined ? [] : [[{ path, headers: { apikey: key } }, good] as const]),
        ...(key === undefined ? [] : [[{ path, headers: { apikey: key }, fresh: true }, good] as const]),
        ...(before === undefined ? [] : [[{ path, headers: { apikey: before } }, { status: 401 }] as const]),
      ]
    }),
  })

  return async () => {
    turn += 1
    const name = `guest${dice.roll(consumers)}`
    const choice = dice.roll(10)
    if (!keys.has(name) || choice < 5) {
      await give('/consumers', name, { username: name, desc: `turn ${turn}` })
      return seen(`a key for ${name}`, name)
    }
    const credential = `${name}-credential`
    if (choice < 7) {
      await give(`/consumers/${name}/credentials/c`, credential, {})
      return seen(`a credential for ${name}`, name)
    }
    if (choice < 8 && keys.has(credential)) {
      await change('DELETE', `/consumers/${name}/credentials/c`)
      replace(credential, undefined)
      return seen(`no credential for ${name}`, name)
    }
    if (keys.has(credential)) await change('DELETE', `/consumers/${name}/credentials/c`)
    await change('DELETE', `/consumers/${name}`)
    replace(name, undefined)
    replace(credential, undefined)
    return seen(`no ${name}`, name)
  }
}
