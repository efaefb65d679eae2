/** limit-count, and what it shares with the other limits: keys, scopes, and the way to Redis. */
export { actionsOf } from './actions.ts'
export { limitCount } from './limit-count.ts'
export { compileCombination, compileKey, compileNumber, type KeyType, type NumberOf, scopeOf } from './limit-key.ts'
export { type RedisConnection, redisOf } from './redis-connection.ts'
export { type RedisConf, redisPolicies, redisSecretFields, redisSecrets } from './redis-schema.ts'
export { type RedisScript, redisScript } from './redis-script.ts'
