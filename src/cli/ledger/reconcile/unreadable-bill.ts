/** The file or answer is not a readable bill. */
export class UnreadableBill extends Error {
  override readonly name = 'UnreadableBill'
}
