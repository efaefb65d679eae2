/** A catalogue whose lists of enabled plugins may be changed while others hold on to it. */
import type { JsonObject } from '../base/json.ts'
import { type CatalogueParts, createCatalogue, type PluginCatalogue } from './catalogue.ts'

export class SwitchableCatalogue implements PluginCatalogue {
  #built: CatalogueParts['built']
  #inner: PluginCatalogue

  constructor(parts: CatalogueParts) {
    this.#built = parts.built
    this.#inner = createCatalogue(parts)
  }

  /** Other lists of config.yaml, or other plugins, are in force from now on. */
  enable({ built = this.#built, ...lists }: Partial<CatalogueParts>): void {
    this.#built = built
    this.#inner = createCatalogue({ ...lists, built })
  }

  check(...args: Parameters<PluginCatalogue['check']>): string | undefined {
    return this.#inner.check(...args)
  }
  askedFor(...args: Parameters<PluginCatalogue['askedFor']>): JsonObject {
    return this.#inner.askedFor(...args)
  }
  withDefaults(...args: Parameters<PluginCatalogue['withDefaults']>): JsonObject {
    return this.#inner.withDefaults(...args)
  }
  checkMetadata(name: string, value: JsonObject): string | undefined {
    return this.#inner.checkMetadata(name, value)
  }
  metadataWithDefaults(name: string, value: JsonObject): JsonObject {
    return this.#inner.metadataWithDefaults(name, value)
  }
  mapSecrets(...args: Parameters<PluginCatalogue['mapSecrets']>): JsonObject {
    return this.#inner.mapSecrets(...args)
  }
  mapMetadataSecrets(...args: Parameters<PluginCatalogue['mapMetadataSecrets']>): JsonObject {
    return this.#inner.mapMetadataSecrets(...args)
  }
  mapUpstreams(...args: Parameters<PluginCatalogue['mapUpstreams']>): JsonObject {
    return this.#inner.mapUpstreams(...args)
  }
  upstreamsIn(...args: Parameters<PluginCatalogue['upstreamsIn']>): readonly JsonObject[] {
    return this.#inner.upstreamsIn(...args)
  }
  isAuth(name: string): boolean {
    return this.#inner.isAuth(name)
  }
  find(...args: Parameters<PluginCatalogue['find']>): ReturnType<PluginCatalogue['find']> {
    return this.#inner.find(...args)
  }
  enabled(...args: Parameters<PluginCatalogue['enabled']>): ReturnType<PluginCatalogue['enabled']> {
    return this.#inner.enabled(...args)
  }
  names(...args: Parameters<PluginCatalogue['names']>): readonly string[] {
    return this.#inner.names(...args)
  }
  knows(name: string): boolean {
    return this.#inner.knows(name)
  }
  schemaFor(...args: Parameters<PluginCatalogue['schemaFor']>): ReturnType<PluginCatalogue['schemaFor']> {
    return this.#inner.schemaFor(...args)
  }
}
