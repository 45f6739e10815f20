/** An amount as OpenRouter gives it, and exactly. */
export function amounts(name: string, nanoUsd: number): Readonly<Record<string, number>> {
  return { [name]: nanoUsd / 1e9, [`${name}_nano_usd`]: nanoUsd }
}
