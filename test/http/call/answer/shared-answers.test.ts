import { openShared } from '../../../../src/main/shared.ts'
import { describeSharedAnswers } from '../../../contracts/shared-answers.ts'

describeSharedAnswers({
  name: 'one memory',
  async open() {
    const shared = await openShared({ now: () => performance.now(), epochMs: () => Date.now() })
    return {
      shared: [
        { ...shared, owner: 'here' },
        { ...shared, owner: 'there' },
      ],
      lose: () => shared.shelf.abandon('here'),
      [Symbol.asyncDispose]: () => shared[Symbol.asyncDispose](),
    }
  },
})
