import type { PackedResponse, WantedResponses } from '../../core/model/response-storage.ts'
import type { StoreAddress } from '../store/all.ts'
import type { TableBounds } from '../store/responses.ts'

/** The start data of the thread. */
export type ResponsesData = { readonly address: StoreAddress; readonly bounds: TableBounds }

export type ResponsesQuestion =
  | { readonly what: 'put'; readonly tenant: string; readonly response: PackedResponse }
  | { readonly what: 'find' | 'remove'; readonly tenant: string; readonly id: string }
  | { readonly what: 'recall'; readonly tenant: string; readonly wanted: WantedResponses }
