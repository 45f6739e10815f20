import { describe, expect, test } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { chatTools } from '../../../src/dialects/responses/tools.ts'

const parameters = { type: 'object', properties: {} }
const weather = { type: 'function', name: 'weather', description: 'Tells it.', parameters, strict: true }
const bare = { type: 'function', name: 'bare', description: null, parameters: null, strict: null }
const patch = { type: 'custom', name: 'patch', description: 'Changes a file.' }
const crm = { type: 'namespace', name: 'crm', description: 'Customers.', tools: [bare, patch] }
const search = { type: 'web_search' }

const chosen = (name: string) => ({ type: 'function', function: { name } })

/** What a chat gets: its tools by name, the choice, and what was left out. */
function translated(tools: readonly JsonObject[], choice?: unknown) {
  const dropped = new Set<string>()
  const { fields, origins } = chatTools(tools, choice, dropped)
  const given = fields['tools'] as { function: JsonObject }[] | undefined
  return {
    tools: given,
    names: given?.map((tool) => tool.function['name']),
    choice: fields['tool_choice'],
    origins,
    dropped: [...dropped],
  }
}

describe('tools', () => {
  test('functions are a chat’s, without what is null', () => {
    expect(translated([weather, bare]).tools).toEqual([
      { type: 'function', function: { name: 'weather', description: 'Tells it.', parameters, strict: true } },
      { type: 'function', function: { name: 'bare' } },
    ])
  })

  test('a custom one is a function of one text', () => {
    const { tools, origins } = translated([patch])
    expect(tools).toMatchObject([
      {
        function: {
          name: 'patch',
          description: 'Changes a file.',
          parameters: { properties: { input: { type: 'string' } }, required: ['input'] },
        },
      },
    ])
    expect(origins.get('patch')).toEqual({ type: 'custom', name: 'patch', namespace: undefined })
  })

  test('a grammar is shown to the model, but not enforced', () => {
    const format = { type: 'grammar', syntax: 'lark', definition: 'start: "x"' }
    const { tools, dropped } = translated([{ ...patch, format }])
    expect(tools?.[0]?.function['description']).toContain('lark grammar:\nstart: "x"')
    expect(dropped).toEqual(['tools.custom.format'])
  })

  test('those in a namespace bear its name', () => {
    const { names, origins } = translated([crm, weather])
    expect(names).toEqual(['crm__bare', 'crm__patch', 'weather'])
    expect(origins.get('crm__patch')).toEqual({ type: 'custom', name: 'patch', namespace: 'crm' })
  })

  test('others are left out by type', () => {
    const others = ['web_search', 'file_search', 'local_shell', 'mcp', 'code_interpreter', 'image_generation']
    const { names, dropped } = translated([...others.map((type) => ({ type })), weather])
    expect(names).toEqual(['weather'])
    expect(dropped).toEqual(others.map((type) => `tools.${type}`))
  })
})

describe('a choice of tool', () => {
  test.for<[unknown, unknown, string[]]>([
    [undefined, undefined, ['weather', 'patch']],
    ['auto', 'auto', ['weather', 'patch']],
    ['none', 'none', ['weather', 'patch']],
    ['required', 'required', ['weather', 'patch']],
    [{ type: 'function', name: 'weather' }, chosen('weather'), ['weather', 'patch']],
    [{ type: 'custom', name: 'patch' }, chosen('patch'), ['weather', 'patch']],
    [
      { type: 'allowed_tools', mode: 'required', tools: [{ type: 'custom', name: 'patch' }, search] },
      'required',
      ['patch'],
    ],
  ])('%j', ([choice, expected, names]) => {
    expect(translated([weather, patch, search], choice)).toMatchObject({ choice: expected, names })
  })

  test.for<unknown>([undefined, 'auto', 'none'])('%j means nothing where no tool is left', (choice) => {
    expect(translated([search], choice)).toMatchObject({ tools: undefined, choice: undefined })
  })

  test.for<[readonly JsonObject[], unknown]>([
    [[search], 'required'],
    [[weather, search], search],
    [[weather], { type: 'function', name: 'patch' }],
    [[weather], { type: 'custom', name: 'weather' }],
    [[weather], { type: 'allowed_tools', mode: 'required', tools: [search] }],
  ])('of %j, %j cannot be had', ([tools, choice]) => {
    expect(() => translated(tools, choice)).toThrow(Failure)
    expect(() => translated(tools, choice)).toThrow("'tool_choice' requires a tool")
  })
})
