import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { repository } from '../acceptance/gateway-process.ts'

/** An otherwise empty folder with the packed package, and what it depends on, under node_modules. */
export type InstalledPackage = Disposable & {
  readonly folder: string
  /** Where the package itself is. */
  readonly root: string
  /** What `npx pandotate-gateway` runs. */
  readonly bin: string
}

/**
 * Packs the package as it would be published and unpacks it. Its dependencies are those that this repository has
 * installed, without those for development; with `SHELF=1` npm installs the tarball from the registry instead.
 */
export function installPackage(): InstalledPackage {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-package-'))
  const packed = npm(['pack', '--silent', '--pack-destination', folder], repository)
  const tarball = join(folder, packed.trim().split('\n').at(-1) ?? '')
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  const modules = join(folder, 'node_modules')
  const root = join(modules, 'pandotate-gateway')
  if (process.env['SHELF'] === '1') npm(['install', '--silent', tarball], folder)
  else {
    mkdirSync(root, { recursive: true })
    execFileSync('tar', ['-xzf', tarball, '-C', root, '--strip-components=1'])
    linkDependencies(modules)
  }
  rmSync(tarball)
  return {
    folder,
    root,
    bin: join(modules, '.bin/pandotate-gateway'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

function linkDependencies(modules: string): void {
  const listed = npm(['ls', '--omit=dev', '--all', '--parseable'], repository).trim().split('\n').slice(1)
  const ours = join(repository, 'node_modules')
  for (const path of listed) {
    const name = relative(ours, path)
    // One that lies within another comes with it.
    if (name.includes('node_modules')) continue
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(path, join(modules, name))
  }
  mkdirSync(join(modules, '.bin'), { recursive: true })
  symlinkSync('../pandotate-gateway/dist/bin.js', join(modules, '.bin/pandotate-gateway'))
}

function npm(words: readonly string[], cwd: string): string {
  return execFileSync('npm', [...words], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}
