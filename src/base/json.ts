/** The types of JSON values and of the JSON Schemas that describe them. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }
/** Draft-07 as far as APISIX's schemas use it. */
export type JsonSchema = { readonly [keyword: string]: unknown }
