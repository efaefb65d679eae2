/** The one error of configuration that keeps the program from starting. It never carries a secret's value. */

export interface ConfigErrorPlace {
  /** The file as the user named it. */
  readonly file: string
  /** Dotted path of the key; empty: the file as a whole. */
  readonly path: string
  /** 1-based; undefined: no line says it (a default, an environment variable). */
  readonly line: number | undefined
}

/** Its message reads `config.yaml:12: apisix.proxy_mode: expected string, got number`. */
export class ConfigError extends Error {
  readonly file: string
  readonly path: string
  readonly line: number | undefined
  readonly reason: string

  constructor(place: ConfigErrorPlace, reason: string, cause?: unknown) {
    super(
      at(place) + (place.path === '' ? reason : `${place.path}: ${reason}`),
      cause === undefined ? undefined : { cause },
    )
    this.name = 'ConfigError'
    this.file = place.file
    this.path = place.path
    this.line = place.line
    this.reason = reason
  }
}

/** `config.yaml:12: `, what messages about a place in a file begin with. */
export function at(place: Pick<ConfigErrorPlace, 'file' | 'line'>): string {
  const name = place.file.slice(place.file.lastIndexOf('/') + 1)
  return place.line === undefined ? `${name}: ` : `${name}:${place.line}: `
}
