/** The variables for substitution. An empty variable counts as not set. */
export type Environment = Readonly<Record<string, string | undefined>>

export type Substituted =
  | { readonly text: string }
  /** The reason why substitution failed. The text itself is left out, because it may contain a secret. */
  | { readonly message: string }

/**
 * Substitutes `${NAME}` and `${NAME:-default}` from the environment; `$$` is a plain dollar. Values are inserted
 * unchanged: a `${` inside a value is not substituted.
 */
export function substitute(text: string, environment: Environment): Substituted {
  let message: string | undefined
  const filled = text.replace(reference, (match, name?: string, fallback?: string) => {
    if (match === '$$') return '$'
    if (name === undefined) {
      message ??= `found a \${ without the name of a variable, expected \${NAME} or \${NAME:-default}; a plain dollar is $$`
      return match
    }
    const set = Object.hasOwn(environment, name) ? environment[name] : undefined
    const value = set || fallback
    if (value === undefined) message ??= unsetMessage(name)
    return value ?? match
  })
  return message === undefined ? { text: filled } : { message }
}

// The last alternative matches invalid references.
const reference = /\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g

function unsetMessage(name: string): string {
  return `found \${${name}}, expected the environment variable ${name} to be set, or a default: \${${name}:-…}`
}
