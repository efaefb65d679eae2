/**
 * The native functions behind those of `node:ffi`. Node wraps each into one of JavaScript that looks at every argument, and
 * gathers four and more of them in an array: 150 to 800 ns a call where the native one takes 10, and no way around it. The
 * native one is a variable in the scope of its wrapper, and scopes are what Node's inspector shows. Where it does not show
 * it, the wrapper that was given does the same more slowly.
 */
import type { Runtime, Session } from 'node:inspector'

type Functions = Readonly<Record<string, unknown>>

/** What a wrapper calls its native function. */
const nativeName = 'rawFn'
/** The innermost comes first: that of the block that made the wrapper, and of the function around it. */
const nearScopes = 2

/**
 * The same functions by the same names; those that cannot be uncovered as they were given. Nobody looks at arguments any
 * more: they must be what the signature says, and no strings or buffers.
 */
export function uncover<F extends Functions>(functions: F): F {
  const all = { ...functions }
  const key = `sluice ${performance.now()}`
  // The inspector starts from the global object. Nobody else runs before this is gone again.
  Reflect.set(globalThis, key, all)
  try {
    const inspector = process.getBuiltinModule('node:inspector')
    const session = new inspector.Session()
    session.connect()
    for (const name of Object.keys(functions))
      replace(session, `globalThis[${JSON.stringify(key)}][${JSON.stringify(name)}]`)
    session.disconnect()
  } catch {
    // This Node has no inspector, or allows none.
  } finally {
    Reflect.deleteProperty(globalThis, key)
  }
  return all
}

/** `place` is an expression: where the wrapper is, and its native function goes. */
function replace(session: Session, place: string): void {
  const wrapper = ask<Runtime.EvaluateReturnType>(session, 'Runtime.evaluate', { expression: place }).result
  const scopes = properties(session, wrapper).internalProperties?.find(({ name }) => name === '[[Scopes]]')?.value
  const native = properties(session, scopes)
    .result.slice(0, nearScopes)
    .flatMap((scope) => properties(session, scope.value).result)
    .find(({ name }) => name === nativeName)?.value
  if (native?.type !== 'function') return
  // Both know where the function is that they call.
  const functionDeclaration = `function () { if (this.pointer === ${place}.pointer) ${place} = this }`
  ask(session, 'Runtime.callFunctionOn', { functionDeclaration, objectId: native.objectId })
}

function properties(session: Session, of: Runtime.RemoteObject | undefined): Runtime.GetPropertiesReturnType {
  const objectId = of?.objectId
  if (objectId === undefined) return { result: [] }
  return ask(session, 'Runtime.getProperties', { objectId, ownProperties: true })
}

/** A session of the same thread answers before `post` returns. */
function ask<Answer>(session: Session, method: string, params: object): Answer {
  let answer: object | undefined
  session.post(method, params, (error, result) => {
    if (error === null) answer = result
  })
  if (answer === undefined) throw new Error(`the inspector does not answer ${method}`)
  return answer as Answer
}
