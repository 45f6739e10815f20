import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { type Child, startChild } from '../acceptance/child.ts'
import { repository } from '../acceptance/gateway-process.ts'

/** Why no image can be built here; undefined where it can. */
export function reasonAgainstImages(): string | undefined {
  if (process.env['SHELF'] !== '1') return 'it takes minutes: npm run shelf does it'
  if (spawnSync('buildah', ['--version']).status !== 0) return 'there is no buildah here'
  return process.getuid?.() === 0 ? undefined : 'only root can build without a daemon'
}

/** What an image says of how it is to be run. */
export type ImageConfig = {
  readonly User: string
  readonly Env: readonly string[]
  readonly Cmd: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly WorkingDir: string
  readonly Volumes: Readonly<Record<string, unknown>>
  readonly Labels: Readonly<Record<string, string>>
  readonly Healthcheck: { readonly Test: readonly string[] }
}

/** The image of the Dockerfile, unpacked. */
export type BuiltImage = Disposable & {
  readonly root: string
  readonly config: ImageConfig
  /** Of all its files, in bytes. */
  readonly size: number
  /** Starts it as a container would: its own first process, nothing but /data and /tmp to write to. */
  start(words: readonly string[], options: { uid: number; environment: Record<string, string> }): Child
}

/**
 * Builds the Dockerfile without a daemon. Its bases cannot be fetched everywhere: stand-ins are made of this machine's
 * own programs, with Node.js where the real ones have it.
 */
export function buildImage(): BuiltImage {
  const place = mkdtempSync(join(tmpdir(), 'gateway-image-'))
  const storage = ['--storage-driver', 'vfs', '--root', join(place, 'store'), '--runroot', join(place, 'run')]
  const buildah = (...words: string[]) =>
    execFileSync('buildah', [...storage, ...words], {
      cwd: repository,
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim()
  for (const [name, fill] of [
    ['base', fillBase],
    ['build', fillBuild],
  ] as const) {
    const files = join(place, name)
    fill(files)
    const container = buildah('from', 'scratch')
    buildah('copy', '-q', container, files, '/')
    buildah('commit', '-q', container, `stand-in-${name}`)
  }
  const bases = [
    '--build-arg',
    'BUILD=localhost/stand-in-build',
    '--build-arg',
    'BASE=localhost/stand-in-base',
  ]
  const versions = ['--build-arg', 'VERSION=1.2.3', '--build-arg', 'REVISION=abcdef']
  const home = ['-v', `${writeHome(join(place, 'home'))}:/root`]
  buildah(
    'bud',
    '--isolation',
    'chroot',
    '--format',
    'docker',
    ...bases,
    ...versions,
    ...home,
    '-t',
    'gateway',
    '.',
  )
  const described = JSON.parse(buildah('inspect', '--type', 'image', 'localhost/gateway'))
  const root = buildah('mount', buildah('from', 'localhost/gateway'))
  const config: ImageConfig = described.Docker.config
  const size = Number(execFileSync('du', ['-sb', root], { encoding: 'utf8' }).split('\t')[0])
  const data = mkdtempSync(join(place, 'data-'))
  // As a volume, it begins as what the image has there.
  execFileSync('cp', ['-a', '-T', join(root, 'data'), data])
  return {
    ...{ root, config, size },
    start: (words, options) => startIn(root, data, config, words, options),
    [Symbol.dispose]: () => rmSync(place, { recursive: true, force: true }),
  }
}

function startIn(
  root: string,
  data: string,
  { Env, Entrypoint, WorkingDir }: ImageConfig,
  words: readonly string[],
  { uid, environment }: { uid: number; environment: Record<string, string> },
): Child {
  for (const name of ['dev', 'proc', 'tmp']) mkdirSync(join(root, name), { recursive: true })
  const script = `
    mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && mount -t tmpfs tmpfs "$0/tmp" &&
    mount --bind "$1" "$0/data" && mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" || exit 99
    root="$0"; shift
    exec unshare --root="$root" --wd="${WorkingDir}" --setuid=${uid} --setgid=0 "$@"`
  const given = Object.fromEntries(
    Env.map((line) => [line.slice(0, line.indexOf('=')), line.replace(/^.*?=/, '')]),
  )
  const outside = { PATH: process.env['PATH'] ?? '' }
  return startChild(
    'unshare',
    ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', script, root, data, ...Entrypoint, ...words],
    { environment: { ...given, ...outside, ...environment } },
  )
}

const node = join(repository, 'node_modules/node/bin/node')

function fillBase(files: string): void {
  install(node, join(files, 'nodejs/bin/node'), files)
  mkdirSync(join(files, 'tmp'), { recursive: true })
  chmodSync(join(files, 'tmp'), 0o1777)
}

function fillBuild(files: string): void {
  install(node, join(files, 'usr/bin/node'), files)
  install('/bin/sh', join(files, 'bin/sh'), files)
  install('/usr/bin/env', join(files, 'usr/bin/env'), files)
  const modules = execFileSync('npm', ['root', '--global'], { encoding: 'utf8' }).trim()
  cpSync(join(modules, 'npm'), join(files, 'usr/lib/node_modules/npm'), { recursive: true })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(files, 'usr/bin/npm'))
  mkdirSync(join(files, 'tmp'), { recursive: true })
  mkdirSync(join(files, 'etc'), { recursive: true })
  writeFileSync(join(files, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\n')
}

/** Copies a program, and the libraries that it is linked with to where it looks for them. */
function install(program: string, target: string, files: string): void {
  const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+/g) ?? []
  for (const library of libraries) {
    mkdirSync(join(files, dirname(library)), { recursive: true })
    copyFileSync(library, join(files, library))
  }
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(program, target)
}

/** How npm reaches its registry here, for the npm of the stand-in. */
function writeHome(home: string): string {
  const of = (name: string) => execFileSync('npm', ['config', 'get', name], { encoding: 'utf8' }).trim()
  mkdirSync(home)
  const authority = process.env['NODE_EXTRA_CA_CERTS'] ?? ''
  const lines = [`registry=${of('registry')}`, 'update-notifier=false']
  if (existsSync(authority)) {
    cpSync(authority, join(home, basename(authority)))
    lines.push(`cafile=/root/${basename(authority)}`)
  }
  writeFileSync(join(home, '.npmrc'), lines.join('\n'))
  // What was fetched before need not be fetched again.
  const cache = of('cache')
  if (existsSync(join(cache, '_cacache')))
    cpSync(join(cache, '_cacache'), join(home, '.npm/_cacache'), { recursive: true })
  return home
}
