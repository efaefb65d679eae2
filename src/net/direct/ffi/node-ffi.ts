/**
 * Node's `node:ffi`, which all of the direct wire's calls go through. It is loaded without the warning that it is
 * experimental: whether it does what is needed is found out before it is used, and operators cannot act on it. Other warnings
 * are left alone.
 */
type Ffi = typeof import('node:ffi')

/** Throws a `RangeError` where this Node has none: an older one, or one that was started without. */
function load(): Ffi {
  const emitWarning = process.emitWarning
  const others = (...warning: Parameters<typeof emitWarning>): void => {
    if (!String(warning[0]).startsWith('FFI is an experimental feature')) emitWarning.apply(process, warning)
  }
  // Node says it while the module loads, at no other time.
  process.emitWarning = others as typeof emitWarning
  try {
    const found = process.getBuiltinModule('node:ffi') as Ffi | undefined
    if (found === undefined) throw new RangeError(`Node ${process.version} has no node:ffi, or was started without it`)
    return found
  } finally {
    process.emitWarning = emitWarning
  }
}

export const ffi: Ffi = load()
