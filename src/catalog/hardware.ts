import type { Catalog } from './catalog.ts'

/** The hardware that providers of this type have prices for, each once. */
export function hardwareNames({ hardware }: Pick<Catalog, 'hardware'>, type: string): readonly string[] {
  return [...new Set(hardware.flatMap(({ provider, gpu }) => (provider === type ? [gpu] : [])))]
}
