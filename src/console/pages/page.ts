import type { ComponentType } from 'preact'
import type { IconName } from '../app/icons.tsx'

/** A page of the console. */
export type PageEntry = {
  /** `/console/calls/:id` */
  readonly path: string
  readonly title: string
  /** Only pages with an icon are in the navigation. */
  readonly icon?: IconName
  /** The page of the navigation that this one belongs to. */
  readonly under?: string
  readonly show: ComponentType<PageProps>
}

export type PageProps = { readonly params: Readonly<Record<string, string>> }
