"""The lines that must never break silently, each with a change that its tests must notice.

``make mutants`` makes each change in a copy of the tree, and each of the named tests must fail
then. A row is added with every promise; where a line moves, its row goes along. Rows stand below
the name of their file, and the files in the order of the alphabet.
"""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """A change of one place, which each of the tests must notice.

    ``text`` has to stand in the file exactly once, ``why`` says what is promised. A test is
    named as pytest does, with one row of its table where one is enough.
    """

    file: str
    text: str
    change: str
    tests: tuple[str, ...]
    why: str


MUTANTS = (
    # cluster.py
    Mutant(
        "kubectl_scratch/cluster.py",
        '            "preconditions": {"uid": uid},\n',
        "",
        ("tests/api/test_ways_out.py::test_a_namesake_is_not_deleted",),
        "a deletion is of one object, and not of another of its name",
    ),
    Mutant(
        "kubectl_scratch/cluster.py",
        'if is_loopback(urlsplit(self._host).hostname or ""):',
        "if False:",
        ("tests/api/test_connection.py::test_a_proxy_is_never_for_this_machine",),
        "no proxy sees what is for this machine",
    ),
    Mutant(
        "kubectl_scratch/cluster.py",
        "        if self.access.chosen_namespace:\n",
        "        if False:\n",
        ("tests/api/test_plan.py::test_a_manifest_of_another_namespace_than_the_flag_s",),
        "nothing is created in another namespace than -n says",
    ),
    Mutant(
        "kubectl_scratch/cluster.py",
        'tuple(f"{key}: {value}" for key, value in self._headers())',
        "()",
        ("tests/api/test_connection.py::test_each_request_says_who_asks",),
        "an exec is asked for as the user that everything else is",
    ),
    Mutant(
        "kubectl_scratch/cluster.py",
        'return self._call("POST", path, {"dryRun": "All"}, body)',
        'return self._call("POST", path, {}, body)',
        ("tests/api/test_plan.py::test_the_check_changes_nothing_and_tells_what_lacks",),
        "a check creates nothing",
    ),
    Mutant(
        "kubectl_scratch/cluster.py",
        'query = {"dryRun": "All"} if dry_run else {}',
        "query: dict[str, str] = {}",
        ("tests/api/test_inplace.py::test_a_dry_run_of_the_server_adds_nothing",),
        "a dry run adds no container to a pod",
    ),
    # commands/completion.py
    Mutant(
        "kubectl_scratch/commands/completion.py",
        "if path.exists() and MARK not in path",
        "if False and MARK not in path",
        ("tests/api/test_help.py::test_install_replaces_nobody_else_s_file",),
        "a file of somebody else's is not replaced",
    ),
    # completion.py
    Mutant(
        "kubectl_scratch/completion.py",
        "    _be_silent()\n    with",
        "    with",
        ("tests/api/test_help.py::test_a_login_that_asks_does_not_disturb_a_half_typed_line",),
        "completion asks nothing at the terminal",
    ),
    # console.py
    Mutant(
        "kubectl_scratch/console.py",
        'c if c.isprintable() else c.encode("unicode_escape").decode()',
        "c",
        ("tests/unit/test_console.py::test_what_a_cluster_sends_can_not_move_the_cursor",),
        "what a cluster sends says nothing to the terminal",
    ),
    Mutant(
        "kubectl_scratch/console.py",
        "            text = printable(text)\n            before",
        "            before",
        ("tests/unit/test_console.py::test_a_line_is_one_line_whatever_it_quotes",),
        "each line on stderr is escaped",
    ),
    Mutant(
        "kubectl_scratch/console.py",
        "        with contextlib.suppress(OSError, ValueError):\n            self._stream.write",
        "        if True:\n            self._stream.write",
        ("tests/api/test_ways_out.py::test_stderr_that_can_not_be_written_changes_nothing",),
        "a closed stderr keeps nobody from cleaning up",
    ),
    # copycontainers.py
    Mutant(
        "kubectl_scratch/copycontainers.py",
        'PROBES = ("livenessProbe", "readinessProbe", "startupProbe")',
        'PROBES = ("readinessProbe", "startupProbe")',
        ("tests/unit/test_podcopy.py::test_probes_go_from_containers_and_native_sidecars",),
        "no probe restarts what is looked at",
    ),
    Mutant(
        "kubectl_scratch/copycontainers.py",
        'if lifecycle.pop("preStop", None) is not None:',
        "if False:",
        ("tests/unit/test_podcopy.py::test_stop_hooks_go_and_start_hooks_stay",),
        "the deletion of a copy runs no hook",
    ),
    Mutant(
        "kubectl_scratch/copycontainers.py",
        'port.pop("hostPort", None)',
        "pass",
        ("tests/unit/test_podcopy.py::test_host_ports_go_and_container_ports_stay",),
        "a copy takes no port of the node",
    ),
    Mutant(
        "kubectl_scratch/copycontainers.py",
        "if host_network and ports:",
        "if False:",
        ("tests/unit/test_podcopy.py::test_in_the_host_s_network_every_port_is_a_host_port",),
        "a copy in the host's network takes no port of the node",
    ),
    # copyplace.py
    Mutant(
        "kubectl_scratch/copyplace.py",
        "if same_node or attached:",
        "if same_node:",
        (
            "tests/unit/test_podcopy.py"
            "::test_the_node_of_a_claim_is_required_beside_what_was_required",
        ),
        "a volume is attached to no second node",
    ),
    Mutant(
        "kubectl_scratch/copyplace.py",
        'pod["spec"].pop("nodeName", None)',
        'pod["spec"].get("nodeName")',
        ("tests/unit/test_podcopy.py::test_a_field_that_the_copy_must_not_have[nodeName]",),
        "the scheduler checks that the copy fits",
    ),
    Mutant(
        "kubectl_scratch/copyplace.py",
        'dropped = {field: pod["spec"].pop(field, None) for field in PRIORITY}',
        'dropped = {field: pod["spec"].get(field) for field in PRIORITY}',
        ("tests/unit/test_podcopy.py::test_a_field_that_the_copy_must_not_have[priority]",),
        "a copy preempts nothing",
    ),
    Mutant(
        "kubectl_scratch/copyplace.py",
        '[*gates, {"conditionType": NEVER_READY}]',
        "[*gates]",
        ("tests/unit/test_podcopy.py::test_a_gate_of_ours_replaces_those_of_the_source",),
        "a Service that selects the copy sends it nothing",
    ),
    Mutant(
        "kubectl_scratch/copyplace.py",
        'if pod["spec"].pop(field, None):\n            yield Edit(f"spec.{field}", "it is the',
        'if pod["spec"].get(field):\n            yield Edit(f"spec.{field}", "it is the',
        ("tests/unit/test_podcopy.py::test_a_field_that_the_copy_must_not_have[hostname]",),
        "a copy is no member of a StatefulSet by its name in DNS",
    ),
    # copyvolumes.py
    Mutant(
        "kubectl_scratch/copyvolumes.py",
        '{"configMap", "downwardAPI",',
        '{"persistentVolumeClaim", "configMap", "downwardAPI",',
        ("tests/unit/test_podcopy.py::test_what_outlives_the_pod_is_mounted_read_only",),
        "production's claims are read-only",
    ),
    Mutant(
        "kubectl_scratch/copyvolumes.py",
        "return bool(kinds) and not kinds <= PRIVATE_VOLUMES",
        'return bool(kinds & {"hostPath", "persistentVolumeClaim"})',
        ("tests/unit/test_podcopy.py::test_what_outlives_the_pod_is_mounted_read_only",),
        "a kind of volume that is not known is taken for production's",
    ),
    Mutant(
        "kubectl_scratch/copyvolumes.py",
        'mount["readOnly"] = True',
        "pass",
        ("tests/unit/test_podcopy.py::test_what_outlives_the_pod_is_mounted_read_only",),
        "what outlives the pod is mounted read-only",
    ),
    Mutant(
        "kubectl_scratch/copyvolumes.py",
        'mount.pop("mountPropagation", None)',
        "pass",
        ("tests/unit/test_podcopy.py::test_a_mount_never_propagates_to_the_node",),
        "a mount that the copy makes is none of the node's",
    ),
    Mutant(
        "kubectl_scratch/copyvolumes.py",
        ' or mount.get("mountPropagation") == "Bidirectional"',
        "",
        ("tests/unit/test_podcopy.py::test_a_mount_never_propagates_to_the_node",),
        "also of a mount that was read-only already",
    ),
    Mutant(
        "kubectl_scratch/copyvolumes.py",
        'kept = [device for device in devices if device["name"] not in shared]',
        "kept = devices",
        ("tests/unit/test_podcopy.py::test_a_shared_block_device_is_left_out_and_said",),
        "no second pod writes to production's block device",
    ),
    Mutant(
        "kubectl_scratch/copyvolumes.py",
        "if ONE_POD_ALONE in modes:",
        "if False:",
        ("tests/unit/test_podcopy.py::test_a_claim_for_one_pod_alone_blocks",),
        "a claim that one pod alone can use is not asked for",
    ),
    Mutant(
        "kubectl_scratch/copyvolumes.py",
        'context["fsGroupChangePolicy"] = policy',
        "pass",
        ("tests/unit/test_podcopy.py::test_owners_of_files_are_kept_where_there_are_files",),
        "the owners of production's files stay",
    ),
    # credentials.py
    Mutant(
        "kubectl_scratch/credentials.py",
        "        if not settings.verify_ssl:\n",
        "        if True:\n",
        ("tests/api/test_connection.py::test_an_unknown_server_is_not_trusted",),
        "a server's certificate is checked",
    ),
    Mutant(
        "kubectl_scratch/credentials.py",
        "                    temp_file_path=str(folder),\n",
        "",
        ("tests/api/test_connection.py::test_private_files_stand_where_only_the_user_can_read",),
        "keys are written nowhere but into a private folder",
    ),
    # debugger.py
    Mutant(
        "kubectl_scratch/debugger.py",
        "own = hold.mounts(hold.DEBUG_TOOLKIT_VOLUME)",
        "own = hold.mounts()",
        ("tests/unit/test_debugger.py::test_a_twin_runs_nothing_that_the_app_could_write",),
        "a debug container, which may be privileged, runs nothing that the app could write",
    ),
    Mutant(
        "kubectl_scratch/debugger.py",
        "not in (hold.SEED_VOLUME, hold.TOOLKIT_VOLUME)",
        "not in (hold.SEED_VOLUME,)",
        ("tests/unit/test_debugger.py::test_a_twin_runs_nothing_that_the_app_could_write",),
        "nor has it the app's toolkit folder",
    ),
    Mutant(
        "kubectl_scratch/debugger.py",
        'container["command"] = [toolkit.SEED, "idle", "0"]',
        "pass",
        (
            "tests/unit/test_debugger.py"
            "::test_a_twin_has_what_the_app_sees_and_nothing_that_acts_on_it",
        ),
        "a twin does not run the app a second time",
    ),
    Mutant(
        "kubectl_scratch/debugger.py",
        'context["runAsUser"] = NOBODY',
        "pass",
        (
            "tests/unit/test_debugger.py"
            "::test_where_root_is_forbidden_and_the_user_unknown_it_is_nobody_and_says_so",
        ),
        "where root is forbidden the debug container is not root",
    ),
    # errors.py
    Mutant(
        "kubectl_scratch/errors.py",
        "return 128 + signum",
        "return 1",
        ("tests/api/test_ways_out.py::test_a_signal_during_a_piped_session",),
        "who was ended by a signal says so by its code",
    ),
    # heartbeat.py
    Mutant(
        "kubectl_scratch/heartbeat.py",
        "if error.transient or error.status == 401:",
        "if False:",
        ("tests/api/test_lease.py::test_a_renewal_that_fails_once_comes_again[500-get]",),
        "a hiccup does not end the renewal",
    ),
    # hold.py
    Mutant(
        "kubectl_scratch/hold.py",
        '"mountPath": toolkit.SEED_FOLDER, "readOnly": True}',
        '"mountPath": toolkit.SEED_FOLDER}',
        ("tests/unit/test_hold.py::test_nothing_may_write_where_the_seed_is",),
        "nobody in the copy changes the seed",
    ),
    Mutant(
        "kubectl_scratch/hold.py",
        'verbatim = [word.replace("$", "$$") for word in said]',
        "verbatim = list(said)",
        ("tests/unit/test_hold.py::test_what_is_known_of_an_entrypoint",),
        "the user's command is run as it was given",
    ),
    Mutant(
        "kubectl_scratch/hold.py",
        '    if container.pop("lifecycle", None) is not None:\n',
        "    if False:\n",
        ("tests/unit/test_hold.py::test_a_start_hook_goes_from_a_held_target_alone",),
        "no hook of a held target runs",
    ),
    Mutant(
        "kubectl_scratch/hold.py",
        '    container.pop("lifecycle", None)\n    yield',
        "    yield",
        ("tests/unit/test_hold.py::test_with_only_the_others_idle_and_plain_init_containers_go",),
        "nor one of its neighbours, with --only",
    ),
    Mutant(
        "kubectl_scratch/hold.py",
        "        yield from _leave_out_init(pod, target)\n",
        "        pass\n",
        ("tests/unit/test_hold.py::test_with_only_the_others_idle_and_plain_init_containers_go",),
        "with --only no init container runs again",
    ),
    # incopy.py
    Mutant(
        "kubectl_scratch/incopy.py",
        "if session.command or not tty:",
        "if not tty:",
        ("tests/api/test_inside.py::test_a_command_on_a_terminal_is_not_started_again_either",),
        "a command whose target dies is not run a second time",
    ),
    # inplace.py
    Mutant(
        "kubectl_scratch/inplace.py",
        "return note.form == digest(wanted) and found ==",
        "return note.form == digest(wanted) or found ==",
        (
            "tests/unit/test_inplace.py"
            "::test_a_container_is_used_for_what_it_is_and_not_for_what_its_note_says",
        ),
        "a container that only says that it is ours is not used",
    ),
    Mutant(
        "kubectl_scratch/inplace.py",
        "return note if all(0 <= t <= MOST_SECONDS for t in (note.limit, note.linger)) else None",
        "return note",
        ("tests/unit/test_inplace.py::test_a_note_of_somebody_else_s_is_none",),
        "a note that can't be ours is none",
    ),
    # inside.py
    Mutant(
        "kubectl_scratch/inside.py",
        "learns = unknown and (loops if said.learn is None else said.learn)",
        "learns = unknown and said.learn is not False",
        ("tests/unit/test_inside.py::test_when_a_run_is_watched",),
        "an app is started unasked only where the kubelet starts it again anyway",
    ),
    # interrupts.py
    Mutant(
        "kubectl_scratch/interrupts.py",
        "        if self._raising:\n",
        "        if True:\n",
        ("tests/api/test_ways_out.py::test_a_signal_while_a_request_is_in_flight",),
        "a signal loses nothing between its creation and the note of it",
    ),
    Mutant(
        "kubectl_scratch/interrupts.py",
        "signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)",
        "signal.SIGINT, signal.SIGTERM)",
        ("tests/api/test_ways_out.py::test_a_signal_during_a_piped_session",),
        "each signal that ends a program deletes the copy first",
    ),
    # joining.py
    Mutant(
        "kubectl_scratch/joining.py",
        "if not labelled or lease.SOURCE_ANNOTATION not in known:",
        "if False:",
        ("tests/api/test_attach.py::test_what_is_no_copy_can_not_be_joined[mypod0]",),
        "no other pod is taken for a copy",
    ),
    Mutant(
        "kubectl_scratch/joining.py",
        "                self._objects.clear()\n",
        "                pass\n",
        (
            "tests/api/test_attach.py::test_who_may_not_join_deletes_nothing_though_nobody_else_is_counted",
        ),
        "who could not join deletes nothing",
    ),
    # kubeconfig.py
    Mutant(
        "kubectl_scratch/kubeconfig.py",
        '("tokenFile", "exec", "auth-provider", "username", "password")',
        '("tokenFile", "auth-provider", "username", "password")',
        ("tests/unit/test_kubeconfig.py::test_a_token_replaces_what_else_would_log_in",),
        "with --token nobody else is logged in",
    ),
    Mutant(
        "kubectl_scratch/kubeconfig.py",
        'merged["current-context"] or document.get("current-context")',
        'document.get("current-context")',
        ("tests/unit/test_kubeconfig.py::test_the_first_current_context_wins",),
        "of several kubeconfigs the same context is used as by kubectl",
    ),
    Mutant(
        "kubectl_scratch/kubeconfig.py",
        '        "as": connection.as_user,\n',
        "",
        (
            "tests/unit/test_kubeconfig.py::test_a_command_to_copy_reaches_the_same_cluster_as_the_same_user",
        ),
        "the printed delete command acts as the same user",
    ),
    # labels.py
    Mutant(
        "kubectl_scratch/labels.py",
        "if key in CONTROLLERS_OWN:",
        "if False:",
        ("tests/unit/test_labels.py::test_what_a_controller_wrote_is_dropped",),
        "a copy has no identity that a controller gave",
    ),
    Mutant(
        "kubectl_scratch/labels.py",
        'if key in ours or key.startswith(f"{MANAGER}/"):',
        "if False:",
        ("tests/unit/test_labels.py::test_what_is_ours_on_the_copy_is_dropped",),
        "a copy is found by labels of its own",
    ),
    Mutant(
        "kubectl_scratch/labels.py",
        "if neighbours.unknown and not keep_all:",
        "if False:",
        ("tests/unit/test_labels.py::test_where_a_kind_is_unknown_nothing_is_kept",),
        "what can't be listed does not select the copy",
    ),
    Mutant(
        "kubectl_scratch/labels.py",
        "gate=not keep_all and _needs_gate(case, dropped),",
        "gate=False,",
        (
            "tests/unit/test_labels.py::test_a_gate_keeps_the_copy_out_of_a_service_that_shares_the_policy_s_label",
        ),
        "no Service sends the copy traffic",
    ),
    Mutant(
        "kubectl_scratch/labels.py",
        "        gate=_needs_gate(case, dropped),\n",
        "        gate=False,\n",
        (
            "tests/unit/test_labels.py"
            "::test_where_a_kind_is_unknown_what_is_known_to_select_the_copy_is_said",
        ),
        "nor where some kind could not be listed",
    ),
    Mutant(
        "kubectl_scratch/labels.py",
        "adopting = that_select(around.controllers, copy)",
        "adopting: list[Selecting] = []",
        ("tests/unit/test_labels.py::test_a_policy_is_given_up_for_what_no_gate_helps_against",),
        "no controller adopts the copy",
    ),
    Mutant(
        "kubectl_scratch/labels.py",
        "        sum(each.publishes_unready for each in serving),\n",
        "        0,\n",
        ("tests/unit/test_labels.py::test_a_policy_is_given_up_for_what_no_gate_helps_against",),
        "a Service that publishes what is not ready does not select the copy",
    ),
    # learning.py
    Mutant(
        "kubectl_scratch/learning.py",
        '            "automountServiceAccountToken": False,\n',
        "",
        ("tests/unit/test_learning.py::test_it_reaches_as_little_as_can_be",),
        "a watched app has no token",
    ),
    Mutant(
        "kubectl_scratch/learning.py",
        'CONTAINER_KEPT = ("args",',
        'CONTAINER_KEPT = ("volumeMounts", "args",',
        ("tests/unit/test_learning.py::test_the_watched_app_has_none_of_the_data_of_the_pod",),
        "a watched app has none of the pod's data",
    ),
    Mutant(
        "kubectl_scratch/learning.py",
        'paths = [item for item in target.get("env") or [] if _is_literal_path(item)]',
        'paths = target.get("env")',
        ("tests/unit/test_learning.py::test_the_watched_app_has_none_of_the_data_of_the_pod",),
        "a watched app has none of the pod's variables",
    ),
    Mutant(
        "kubectl_scratch/learning.py",
        '            "activeDeadlineSeconds": LIFE_SECONDS,\n',
        "",
        ("tests/unit/test_learning.py::test_it_ends_by_itself",),
        "a watched app ends by itself",
    ),
    # lease.py
    Mutant(
        "kubectl_scratch/lease.py",
        '            "completions": 0,\n',
        '            "completions": 1,\n',
        ("tests/unit/test_lease.py::test_a_lease_starts_no_pod_and_ends_by_itself",),
        "a lease is Complete as soon as its controller sees it, or it would never end",
    ),
    Mutant(
        "kubectl_scratch/lease.py",
        '            "parallelism": 0,\n',
        '            "parallelism": 1,\n',
        ("tests/unit/test_lease.py::test_a_lease_starts_no_pod_and_ends_by_itself",),
        "a lease starts no pod",
    ),
    Mutant(
        "kubectl_scratch/lease.py",
        '            "ttlSecondsAfterFinished": math.ceil(ttl),\n',
        "",
        ("tests/unit/test_lease.py::test_a_lease_starts_no_pod_and_ends_by_itself",),
        "a copy is removed with no client alive",
    ),
    Mutant(
        "kubectl_scratch/lease.py",
        "longest = max(longer,",
        "longest = min(longer,",
        ("tests/unit/test_lease.py::test_a_renewal_never_shortens_what_another_session_asked_for",),
        "one session shortens no other one's lease",
    ),
    Mutant(
        "kubectl_scratch/lease.py",
        "math.ceil((now - since).total_seconds() + ttl)",
        "math.ceil(ttl)",
        ("tests/unit/test_lease.py::test_the_ttl_counts_from_the_completion",),
        "a long session keeps its copy",
    ),
    Mutant(
        "kubectl_scratch/lease.py",
        'patch: Json = {"metadata": {"uid": uid(job), "annotations": seat}}',
        'patch: Json = {"metadata": {"annotations": seat}}',
        ("tests/unit/test_lease.py::test_a_renewal_names_the_uid_and_keeps_the_seat",),
        "no namesake of a lease is renewed",
    ),
    Mutant(
        "kubectl_scratch/lease.py",
        '{"metadata": {"uid": job_uid, "annotations"',
        '{"metadata": {"annotations"',
        ("tests/unit/test_lease.py::test_a_leave_names_the_uid_and_the_seat",),
        "no namesake of a lease is left",
    ),
    Mutant(
        "kubectl_scratch/lease.py",
        "return sum(value > now.strftime(TIME)",
        "return sum(bool(value) or value > now.strftime(TIME)",
        ("tests/unit/test_lease.py::test_a_seat_is_taken_until_it_expires",),
        "a session that was killed keeps no copy for ever",
    ),
    Mutant(
        "kubectl_scratch/lease.py",
        '"name": metadata["name"], "uid": uid(job)}',
        '"name": metadata["name"], "uid": uid(job), "controller": True}',
        ("tests/unit/test_lease.py::test_the_owner_does_not_control_the_copy",),
        "the Job controller does not count the copy",
    ),
    # lifecycle.py
    Mutant(
        "kubectl_scratch/lifecycle.py",
        "        except BaseException:\n            self._leave()\n            raise\n",
        "        except BaseException:\n            raise\n",
        ("tests/api/test_ways_out.py::test_what_the_cluster_does_not_do_is_an_error[copy-422]",),
        "a beginning that fails leaves nothing behind",
    ),
    Mutant(
        "kubectl_scratch/lifecycle.py",
        "            if error.transient:\n                self._note_if_ours(own, manifest)\n",
        "            if False:\n                self._note_if_ours(own, manifest)\n",
        (
            "tests/api/test_ways_out.py"
            "::test_what_the_cluster_does_not_do_is_an_error[copy-made-and-cut]",
        ),
        "what was created without an answer is deleted, too",
    ),
    Mutant(
        "kubectl_scratch/lifecycle.py",
        '            self._objects.append((path, ""))\n',
        "            pass\n",
        ("tests/api/test_ways_out.py::test_a_cluster_that_hangs_up_everywhere_is_told_once",),
        "what may have been created is told",
    ),
    Mutant(
        "kubectl_scratch/lifecycle.py",
        '        if not own:\n            return "the cluster did not answer',
        '        if False:\n            return "the cluster did not answer',
        ("tests/api/test_ways_out.py::test_a_cluster_that_hangs_up_everywhere_is_told_once",),
        "what is not known to be ours is not deleted",
    ),
    Mutant(
        "kubectl_scratch/lifecycle.py",
        "        self._objects.append((own, uid(created)))\n",
        "        pass\n",
        ("tests/api/test_ways_out.py::test_the_code_of_the_command_passes_through",),
        "what was created is deleted",
    ),
    Mutant(
        "kubectl_scratch/lifecycle.py",
        'return "" if error.status in GONE else error.message',
        'return ""',
        ("tests/api/test_ways_out.py::test_what_may_not_be_deleted_is_named[pod/{0}-0]",),
        "what could not be deleted is told",
    ),
    Mutant(
        "kubectl_scratch/lifecycle.py",
        "        if others:\n",
        "        if False:\n",
        ("tests/api/test_attach.py::test_who_leaves_last_deletes_the_copy",),
        "a copy is not deleted under another session",
    ),
    Mutant(
        "kubectl_scratch/lifecycle.py",
        "if late or not error.transient:",
        "if True:",
        (
            "tests/api/test_ways_out.py"
            "::test_a_deletion_that_fails_twice_is_tried_again[pods-500-3]",
        ),
        "a hiccup leaves no copy behind",
    ),
    Mutant(
        "kubectl_scratch/lifecycle.py",
        'copy["metadata"]["ownerReferences"] = [lease.owner_reference(job)]',
        "pass",
        ("tests/api/test_lease.py::test_the_copy_belongs_to_the_lease",),
        "the copy goes with its lease",
    ),
    Mutant(
        "kubectl_scratch/lifecycle.py",
        'copy["spec"]["activeDeadlineSeconds"] = int(self._terms.deadline)',
        "pass",
        ("tests/api/test_lease.py::test_without_the_right_to_a_lease_there_is_a_deadline",),
        "a copy without a lease ends all the same",
    ),
    Mutant(
        "kubectl_scratch/lifecycle.py",
        'words = ["kubectl", "delete", *self._cluster.access.flags]',
        'words = ["kubectl", "delete"]',
        ("tests/api/test_ways_out.py::test_what_may_not_be_deleted_is_named[pod/{0}-0]",),
        "the printed delete command reaches the same cluster",
    ),
    # plan.py
    Mutant(
        "kubectl_scratch/plan.py",
        "    if lease.SOURCE_ANNOTATION in annotations_of(source):\n",
        "    if False:\n",
        ("tests/unit/test_plan.py::test_a_copy_is_not_copied",),
        "there is no copy of a copy",
    ),
    Mutant(
        "kubectl_scratch/plan.py",
        "            *taken_findings(copied.manifest),\n",
        "",
        (
            "tests/unit/test_plan.py"
            "::test_what_the_pod_has_by_the_name_of_ours_is_a_blocker_with_a_way",
        ),
        "a volume of the source is not taken for ours",
    ),
    Mutant(
        "kubectl_scratch/plan.py",
        "        {**kept.labels, **fixed},\n",
        "        {**kept.labels},\n",
        ("tests/unit/test_plan.py::test_what_a_plan_creates_can_be_found_again",),
        "what was created can be found by its labels",
    ),
    Mutant(
        "kubectl_scratch/plan.py",
        "{**marks, **seat}",
        "marks",
        ("tests/api/test_attach.py::test_a_signal_in_one_session_leaves_the_other_alone",),
        "the first session is counted from the beginning",
    ),
    # plugin.py
    Mutant(
        "kubectl_scratch/plugin.py",
        "stdin=None if interactive else subprocess.DEVNULL,",
        "stdin=None,",
        ("tests/unit/test_plugin.py::test_a_plugin_that_may_not_ask_reads_nothing_of_our_stdin",),
        "a credential plugin takes nothing of what is typed into the session",
    ),
    # podcopy.py
    Mutant(
        "kubectl_scratch/podcopy.py",
        '"spec": deepcopy(source["spec"]),',
        '"spec": source["spec"],',
        (
            "tests/unit/test_podcopy.py"
            "::test_the_source_is_never_changed_and_the_copy_is_always_the_same",
        ),
        "the source is not changed",
    ),
    Mutant(
        "kubectl_scratch/podcopy.py",
        '"labels": dict(labels),',
        '"labels": {**(source["metadata"].get("labels") or {}), **labels},',
        ("tests/unit/test_podcopy.py::test_metadata_is_ours_alone",),
        "a copy has the labels that were chosen, and no others",
    ),
    Mutant(
        "kubectl_scratch/podcopy.py",
        'pod["metadata"]["annotations"].update(marks)',
        "pass",
        ("tests/unit/test_podcopy.py::test_our_marks_win_over_those_of_a_copy_s_copy",),
        "a copy says of itself what it is",
    ),
    Mutant(
        "kubectl_scratch/podcopy.py",
        "        copyvolumes.drop_token_volume,\n",
        "",
        ("tests/unit/test_podcopy.py::test_the_injected_token_volume_goes_with_its_mounts",),
        "a copy gets a token of its own",
    ),
    Mutant(
        "kubectl_scratch/podcopy.py",
        "        *((copyplace.keep_out_of_services,) if gate else ()),\n",
        "",
        ("tests/unit/test_podcopy.py::test_a_gate_of_ours_replaces_those_of_the_source",),
        "a gate that is needed is there",
    ),
    Mutant(
        "kubectl_scratch/podcopy.py",
        '    pod["spec"]["restartPolicy"] = "Always"\n',
        "",
        ("tests/unit/test_podcopy.py::test_the_copy_outlives_its_app",),
        "a copy outlives its app",
    ),
    Mutant(
        "kubectl_scratch/podcopy.py",
        'pod["spec"]["terminationGracePeriodSeconds"] = GRACE_SECONDS',
        "pass",
        ("tests/unit/test_podcopy.py::test_a_copy_ends_quickly_whoever_deletes_it",),
        "a copy that is deleted is gone soon",
    ),
    # private.py
    Mutant(
        "kubectl_scratch/private.py",
        "        yield Path(folder)\n    finally:\n"
        "        shutil.rmtree(folder, ignore_errors=True)\n",
        "        yield Path(folder)\n    finally:\n        pass\n",
        ("tests/api/test_kubectl.py::test_credentials_go_through_a_private_file",),
        "a file with secrets is gone with the session",
    ),
    Mutant(
        "kubectl_scratch/private.py",
        "    _remove_leftovers(parent)\n",
        "",
        ("tests/api/test_kubectl.py::test_the_private_file_is_gone_when_the_session_was_killed",),
        "what a killed process has left is removed by the next one",
    ),
    # selectors.py
    Mutant(
        "kubectl_scratch/selectors.py",
        'bool(spec.get("publishNotReadyAddresses"))',
        "False",
        (
            "tests/unit/test_selectors.py"
            "::test_a_service_that_publishes_what_is_not_ready_is_told_apart",
        ),
        "a Service that no gate keeps from the copy is known as one",
    ),
    # session.py
    Mutant(
        "kubectl_scratch/session.py",
        "    if plan.blockers:\n        raise",
        "    if False:\n        raise",
        ("tests/api/test_plan.py::test_a_blocker_is_part_of_a_dry_run_and_its_code_is_1",),
        "what is blocked is not created",
    ),
    # shell.py
    Mutant(
        "kubectl_scratch/shell.py",
        "p=$(target_pid) || p=no-target;",
        "p=$(target_pid);",
        ("tests/unit/test_shell.py::test_without_a_target_its_root_is_none_that_there_is",),
        "$(target-root)/etc is never the session's own",
    ),
    # stream.py
    Mutant(
        "kubectl_scratch/stream.py",
        'return Outcome(None, "the connection was lost", lost=True)',
        "return Outcome(0)",
        ("tests/api/test_ways_out.py::test_a_lost_connection_is_an_error",),
        "a session that was cut is no success",
    ),
    Mutant(
        "kubectl_scratch/stream.py",
        'return Outcome(int(cause["message"]))',
        "return Outcome(1)",
        ("tests/api/test_ways_out.py::test_the_code_of_the_command_passes_through",),
        "the exit code is the command's own",
    ),
    # targets.py
    Mutant(
        "kubectl_scratch/targets.py",
        "if lease.SOURCE_ANNOTATION not in _annotations(pod)]",
        "if pod]",
        ("tests/unit/test_targets.py::test_a_copy_is_never_a_candidate",),
        "debug deployment/x takes no copy",
    ),
    # terminal.py
    Mutant(
        "kubectl_scratch/terminal.py",
        "termios.tcsetattr(self._fd, termios.TCSADRAIN, self._saved)",
        "pass",
        ("tests/api/test_ways_out.py::test_a_lost_connection_leaves_the_terminal_as_it_was",),
        "the terminal is left as it was",
    ),
    Mutant(
        "kubectl_scratch/terminal.py",
        "raise Interrupted(signal.SIGPIPE) from error",
        'raise SessionError("x") from error',
        ("tests/api/test_ways_out.py::test_in_a_pipeline_head_ends_it",),
        "in a pipeline a reader that closes is no error",
    ),
    # toolkit.py
    Mutant(
        "kubectl_scratch/toolkit.py",
        'if "\\n" in where:',
        "if False:",
        ("tests/unit/test_toolkit.py::test_a_name_may_be_of_any_bytes_but_a_newline",),
        "the name of a file begins no record of its own",
    ),
    # transport.py
    Mutant(
        "kubectl_scratch/transport.py",
        "return self._start_once(subprotocol)",
        "return self._reach(lambda: self._start(subprotocol))",
        ("tests/api/test_streams.py::test_a_command_whose_start_is_unsure_is_not_sent_again",),
        "a command that may have started is not sent twice",
    ),
    Mutant(
        "kubectl_scratch/transport.py",
        "if errand.tty and errand.repeatable:",
        "if errand.tty:",
        (
            "tests/api/test_streams.py"
            "::test_a_command_whose_start_is_unsure_is_not_sent_again[terminal]",
        ),
        "nor on a terminal",
    ),
    Mutant(
        "kubectl_scratch/transport.py",
        "os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)",
        "os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)",
        ("tests/api/test_kubectl.py::test_credentials_go_through_a_private_file",),
        "a kubectl's credentials are the user's alone to read",
    ),
    # views.py
    Mutant(
        "kubectl_scratch/views.py",
        "return Stand(view, bool(why), why)",
        "return Stand(view, bool(why) and not consumer, why)",
        ("tests/unit/test_views.py::test_a_healthy_target_that_no_service_selects_is_held",),
        "a worker's copy takes no work unasked",
    ),
    Mutant(
        "kubectl_scratch/views.py",
        "return Stand(view, asked.hold,",
        "return Stand(view, bool(why),",
        ("tests/unit/test_views.py::test_what_is_asked_for_decides",),
        "a target is held where the user says so",
    ),
    # seed/app.c
    Mutant(
        "seed/app.c",
        "        if (is_control(*word))\n",
        "        if (is_control(*word) && !*word)\n",
        (
            "tests/seed/test_run_app.py::test_what_an_app_says_of_itself_does_nothing_to_the_terminal",
        ),
        "what an app calls itself says nothing to the terminal",
    ),
    Mutant(
        "seed/app.c",
        "return is_of_this_container(pid) && visit_holder(pid, about);",
        "return visit_holder(pid, about);",
        ("tests/seed/test_run_app.py::test_the_holder_of_another_copy_is_not_taken_for_its_own",),
        "on a shared node no other copy's app is run",
    ),
    # seed/learn.c
    Mutant(
        "seed/learn.c",
        "return is_of_container(pid, app->container) || mark(pid);",
        "return is_of_container(pid, app->container) || !mark(pid);",
        ("tests/seed/test_learn.py::test_the_first_process_of_another_container_is_passed_over",),
        "a watcher kills no container but the app's",
    ),
    # seed/program.c
    Mutant(
        "seed/program.c",
        "for (int number = 1; number < NSIG; number++)\n        on_signal",
        "for (int number = 1; number < 1; number++)\n        on_signal",
        ("tests/seed/test_run_app.py::test_signals_are_as_at_the_start_of_a_container",),
        "an app is started with the signals of a container's start",
    ),
    # seed/recv.c
    Mutant(
        "seed/recv.c",
        "if (!equal(hex, record->sum))",
        "if (!record->sum)",
        ("tests/seed/test_recv.py::test_a_wrong_checksum_is_refused",),
        "a byte that changed on its way is found",
    ),
    Mutant(
        "seed/recv.c",
        "O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC",
        "O_PATH | O_DIRECTORY | O_CLOEXEC",
        ("tests/seed/test_recv.py::test_a_link_does_not_lead_out",),
        "nothing is written outside of the toolkit, past a link",
    ),
    Mutant(
        "seed/recv.c",
        "if (!is_inside(record.path))",
        "if (!is_inside(record.path) && !*record.path)",
        ("tests/seed/test_recv.py::test_a_path_that_is_not_in_the_toolkit_is_refused",),
        "nothing is written outside of the toolkit, by a path",
    ),
    Mutant(
        "seed/recv.c",
        "        unlinkat(partial.folder, partial.name, 0);\n",
        "        close(partial.folder);\n",
        ("tests/seed/test_recv.py::test_a_wrong_checksum_is_refused",),
        "what has come in part is removed",
    ),
)
