# SPDX-License-Identifier: LGPL-2.1-or-later
"""Conditions that a host can be in, made on the lab, and what the probe finds there."""

import json

import lab

HOST = 'hosta'
PF = lab.PF
DEVICE = f'/sys/bus/pci/devices/{PF}'
NOBODY = ('setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--inh-caps=-all',
          '--bounding-set=-all', '--no-new-privs')
VERDICTS = {'pass': lab.READY, 'warn': lab.READY, 'info': lab.READY, 'fail': lab.NOT_READY, 'unknown': lab.UNKNOWN}


def reload(*parameters):
    """The host with another card or firmware: no VFs, legacy mode."""
    lab.lab_command('reload', HOST, *parameters)


def ready(*parameters):
    """The same, then made ready by the library."""
    reload(*parameters)
    lab.configure(HOST)


def by_hand(num_vfs=2, host=HOST):
    """VFs in switchdev mode that no driver has: each condition binds them as it wants."""
    lab.run(host, f'''set -e
        echo 0 > {DEVICE}/sriov_drivers_autoprobe
        devlink dev eswitch set pci/{PF} mode switchdev
        echo {num_vfs} > {DEVICE}/sriov_numvfs''')


def bind(vf, driver='mlx5_vfio_pci', host=HOST):
    """Leaves a VF to a driver, as the vendor's manual does."""
    lab.run(host, f'''set -e
        [ ! -e /sys/bus/pci/devices/{vf}/driver ] || echo {vf} > /sys/bus/pci/devices/{vf}/driver/unbind
        echo {driver} > /sys/bus/pci/devices/{vf}/driver_override
        echo {vf} > /sys/bus/pci/drivers_probe''')


def findings(*words, host=HOST, prefix=()):
    """Exit status and findings of the probe."""
    done = lab.run(host, *prefix, '/mlx5lm/bin/mlx5lm-probe', '--findings', *words, check=False)
    document = json.loads(done.stdout)
    if done.returncode != VERDICTS[document['status']]:
        raise AssertionError(f'exit status {done.returncode} for the status {document["status"]}')
    return document['findings']


def troubles(found):
    """What a person has to look at: all that is neither right nor only worth knowing."""
    return sorted((entry['status'], entry['id'], entry['object']) for entry in found
                  if entry['status'] not in ('pass', 'info'))


def remedy(found, wanted, about=None):
    """The remedy of one finding."""
    return next(entry['remedy'] for entry in found
                if entry['id'] == wanted and about in (None, entry['object']))
