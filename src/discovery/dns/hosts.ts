/** What a hosts file says: addresses by name. */
import { isAddress } from '../../base/ip-set.ts'

/** The addresses of each name (lower case), in the file's order. */
export type Hosts = ReadonlyMap<string, readonly string[]>

/** hosts(5): an address and its names on each line; lines that are not that are passed over. */
export function parseHosts(text: string): Hosts {
  const hosts = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    // An address with a zone names an interface of this machine, which no endpoint is reached by.
    if (!isAddress(address)) continue
    for (const name of names) {
      const key = name.toLowerCase()
      const addresses = hosts.get(key)
      if (addresses === undefined) hosts.set(key, [address])
      else if (!addresses.includes(address)) addresses.push(address)
    }
  }
  return hosts
}

/** The addresses of a name without asking anyone; RFC 6761 6.3 makes `localhost` and all below it loopback. */
export function addressesIn(hosts: Hosts, name: string): readonly string[] {
  const listed = hosts.get(name)
  if (listed !== undefined) return listed
  return name === 'localhost' || name.endsWith('.localhost') ? ['127.0.0.1', '::1'] : []
}
