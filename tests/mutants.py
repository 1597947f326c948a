"""The lines that must never break silently, each with a change that its tests must notice.

``make mutants`` makes each change in a copy of the tree, and each of the named tests must fail
then. A row is added with every promise; if a line moves, its row moves along. Rows are below the
path of their file, and the files in alphabetical order.
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
    # cli/completion/protocol.py
    Mutant(
        "kubectl_scratch/cli/completion/protocol.py",
        "    _be_silent()\n    with",
        "    with",
        ("tests/api/test_help.py::test_a_login_that_asks_does_not_disturb_a_half_typed_line",),
        "completion asks nothing at the terminal",
    ),
    # cli/completion/scripts.py
    Mutant(
        "kubectl_scratch/cli/completion/scripts.py",
        "if path.exists() and MARK not in path",
        "if False and MARK not in path",
        ("tests/api/test_help.py::test_install_replaces_nobody_else_s_file",),
        "a file of somebody else's is not replaced",
    ),
    # cli/error_report.py
    Mutant(
        "kubectl_scratch/cli/error_report.py",
        'text = re.sub(secret, r"\\1(redacted)", text)',
        "pass",
        ("tests/unit/test_temp_dir.py::test_no_secret_is_in_the_file_with_a_traceback",),
        "no secret is in the file with a traceback",
    ),
    # cli/pflag.py
    Mutant(
        "kubectl_scratch/cli/pflag.py",
        "if value in TRUE:",
        "if True:",
        ("tests/unit/test_pflag.py::test_it_is_taken",),
        "--flag=false is off",
    ),
    # copies/create.py
    Mutant(
        "kubectl_scratch/copies/create.py",
        "            if doubt is not None:\n",
        "            if False:\n",
        (
            "tests/api/test_ways_out.py"
            "::test_what_the_cluster_does_not_do_is_an_error[copy-made-and-cut]",
        ),
        "what was created without an answer is deleted, too",
    ),
    Mutant(
        "kubectl_scratch/copies/create.py",
        "                self._objects.append(asked._replace(doubt=doubt))\n",
        "                pass\n",
        ("tests/api/test_ways_out.py::test_a_cluster_that_hangs_up_everywhere_is_told_once",),
        "what may have been created is told",
    ),
    Mutant(
        "kubectl_scratch/copies/create.py",
        "        self._objects.append(asked._replace(uid=own))\n",
        "        pass\n",
        ("tests/api/test_ways_out.py::test_the_code_of_the_command_passes_through[0]",),
        "what was created is deleted",
    ),
    Mutant(
        "kubectl_scratch/copies/create.py",
        'copy["metadata"]["ownerReferences"] = [lease.owner_reference(job)]',
        "pass",
        ("tests/api/test_lease.py::test_the_copy_belongs_to_the_lease",),
        "the copy goes with its lease",
    ),
    Mutant(
        "kubectl_scratch/copies/create.py",
        'copy["spec"]["activeDeadlineSeconds"] = int(self._terms.deadline)',
        "pass",
        ("tests/api/test_lease.py::test_without_the_right_to_a_lease_there_is_a_deadline",),
        "a copy without a lease ends all the same",
    ),
    Mutant(
        "kubectl_scratch/copies/create.py",
        "self.seed and self.seed.uid)",
        '"")',
        ("tests/api/test_seedcheck.py::test_a_later_session_checks_as_well[replaced]",),
        "a later session knows which seed is ours",
    ),
    Mutant(
        "kubectl_scratch/copies/create.py",
        "if may is not False:",
        "if False:",
        ("tests/api/test_ways_out.py::test_what_the_cluster_does_not_do_is_an_error[lease-403]",),
        "only who may not create a lease goes on without one",
    ),
    Mutant(
        "kubectl_scratch/copies/create.py",
        'life = min(spec["activeDeadlineSeconds"], int(self._terms.deadline))',
        'life = spec["activeDeadlineSeconds"]',
        (
            "tests/api/test_inside.py"
            ""
            "::test_without_a_lease_a_discovery_run_ends_with_the_copy[1m-60]",
        ),
        "without a lease a watched app ends with the copy at the latest",
    ),
    Mutant(
        "kubectl_scratch/copies/create.py",
        "pod = with_owner(self._plan.discovery, owner)",
        "pod = self._plan.discovery",
        (
            "tests/api/test_inside.py"
            ""
            "::test_without_a_lease_a_discovery_run_ends_with_the_copy[1m-60]",
        ),
        "and goes with it",
    ),
    # copies/created_object.py
    Mutant(
        "kubectl_scratch/copies/created_object.py",
        'if (created.get("kind"), name(created)) != (manifest["kind"], name(manifest)):',
        "if False:",
        (
            "tests/api/test_ways_out.py"
            "::test_an_answer_to_a_creation_that_makes_no_sense[('other-object', '/pods$', "
            "True)]",
        ),
        "an answer about another object is none",
    ),
    # copies/deletion.py
    Mutant(
        "kubectl_scratch/copies/deletion.py",
        '            return problem_of(error)\n        return ""\n',
        '            return ""\n        return ""\n',
        ("tests/api/test_ways_out.py::test_what_may_not_be_deleted_is_named[pod/{0}-0]",),
        "what could not be deleted is told",
    ),
    Mutant(
        "kubectl_scratch/copies/deletion.py",
        "if late or not (error.transient or error.conflict):",
        "if True:",
        (
            "tests/api/test_ways_out.py"
            "::test_a_deletion_that_fails_twice_is_tried_again[pods-500-3]",
        ),
        "a hiccup leaves no copy behind",
    ),
    Mutant(
        "kubectl_scratch/copies/deletion.py",
        'words = ["kubectl", "delete", *flags,',
        'words = ["kubectl", "delete",',
        ("tests/api/test_ways_out.py::test_what_may_not_be_deleted_is_named[pod/{0}-0]",),
        "the printed delete command reaches the same cluster",
    ),
    Mutant(
        "kubectl_scratch/copies/deletion.py",
        'return uid(found) if is_same_creation(found, each.doubt.manifest) else ""',
        "return uid(found)",
        (
            "tests/api/test_ways_out.py"
            "::test_what_was_perhaps_created_by_another_is_left_alone[labels]",
        ),
        "what is not known to be ours is not deleted: not by its name",
    ),
    Mutant(
        "kubectl_scratch/copies/deletion.py",
        "error.gone or (error.conflict and self._is_gone(each._replace(uid=own)))",
        "error.gone",
        ("tests/api/test_ways_out.py::test_a_namesake_is_not_deleted",),
        "what is gone already is no leftover",
    ),
    Mutant(
        "kubectl_scratch/copies/deletion.py",
        "(error.conflict and self._is_gone(each._replace(uid=own)))",
        "error.conflict",
        ("tests/api/test_ways_out.py::test_a_conflict_is_no_deletion",),
        "what is still there is told, also where the answer was a conflict",
    ),
    Mutant(
        "kubectl_scratch/copies/deletion.py",
        "time.monotonic() > self._give_up_at or self._interrupts.impatient",
        "time.monotonic() > self._give_up_at",
        ("tests/api/test_signals.py::test_who_will_not_wait_is_not_kept",),
        "who presses ^C once more on the way out is not kept",
    ),
    Mutant(
        "kubectl_scratch/copies/deletion.py",
        "                return None\n            raise\n        return found if",
        "                return None\n            return None\n        return found if",
        (
            "tests/api/test_attach.py"
            "::test_where_nobody_can_tell_who_is_in_nothing_is_deleted[conflict-500]",
        ),
        "a lease that can't be read is not one that is gone",
    ),
    Mutant(
        "kubectl_scratch/copies/deletion.py",
        "return found if uid(found.body) == each.uid else None",
        "return found",
        ("tests/api/test_attach.py::test_a_lease_that_was_swapped_while_one_was_in_is_left_alone",),
        "a namesake of the lease says nothing of who is in",
    ),
    # copies/fallback_deadline.py
    Mutant(
        "kubectl_scratch/copies/fallback_deadline.py",
        "        self._cluster.patch(copy.path, patch)\n        return seconds\n",
        "        return seconds\n",
        ("tests/api/test_lease.py::test_an_uncompleted_job_gives_the_copy_a_deadline",),
        "a copy whose lease does not count down ends all the same",
    ),
    Mutant(
        "kubectl_scratch/copies/fallback_deadline.py",
        "math.ceil(longest + self._ttl)",
        "math.ceil(self._ttl)",
        ("tests/api/test_lease.py::test_an_uncompleted_job_gives_the_copy_a_deadline",),
        "but not before the session",
    ),
    Mutant(
        "kubectl_scratch/copies/fallback_deadline.py",
        '{"metadata": {"uid": copy.uid}, "spec"',
        '{"metadata": {}, "spec"',
        ("tests/api/test_lease.py::test_an_uncompleted_job_gives_the_copy_a_deadline",),
        "and no namesake of it",
    ),
    Mutant(
        "kubectl_scratch/copies/fallback_deadline.py",
        "        if known is not None:\n            return int(known)\n",
        "",
        ("tests/api/test_lease.py::test_a_deadline_that_is_there_is_kept",),
        "a deadline that is there is kept",
    ),
    # copies/heartbeat.py
    Mutant(
        "kubectl_scratch/copies/heartbeat.py",
        "                continue\n            if gone:",
        "                return\n            if gone:",
        ("tests/api/test_lease.py::test_a_renewal_that_fails_once_comes_again[500-get]",),
        "a hiccup does not end the renewal",
    ),
    Mutant(
        "kubectl_scratch/copies/heartbeat.py",
        "if uid(found.body) != self._uid or is_going(found.body):",
        "if is_going(found.body):",
        ("tests/api/test_lease.py::test_a_lost_lease_is_told[_other_namesake]",),
        "a namesake of the lease is not renewed, and the loss is told",
    ),
    Mutant(
        "kubectl_scratch/copies/heartbeat.py",
        "if uid(found.body) != self._uid or is_going(found.body):",
        "if uid(found.body) != self._uid:",
        ("tests/api/test_lease.py::test_a_lost_lease_is_told[_going]",),
        "a lease that is being deleted is lost",
    ),
    Mutant(
        "kubectl_scratch/copies/heartbeat.py",
        "            if error.gone:\n",
        "            if not error.transient:\n",
        ("tests/api/test_lease.py::test_a_renewal_that_fails_once_comes_again[403-get]",),
        "a refusal is no end of the lease",
    ),
    Mutant(
        "kubectl_scratch/copies/heartbeat.py",
        "return max(time.monotonic() - since[0], time.time() - since[1])",
        "return time.monotonic() - since[0]",
        ("tests/unit/test_heartbeat.py::test_a_laptop_that_slept_renews_at_once[monotonic]",),
        "a laptop that slept renews at once, by the wall clock",
    ),
    Mutant(
        "kubectl_scratch/copies/heartbeat.py",
        "return max(time.monotonic() - since[0], time.time() - since[1])",
        "return time.time() - since[1]",
        ("tests/unit/test_heartbeat.py::test_a_laptop_that_slept_renews_at_once[wall]",),
        "and by the other",
    ),
    Mutant(
        "kubectl_scratch/copies/heartbeat.py",
        "            self._task.abandon()\n",
        "            pass\n",
        ("tests/api/test_lease.py::test_a_renewal_that_outlasts_a_leave_does_not_undo_it[GET]",),
        "a renewal that reads the lease does not undo a leave",
    ),
    Mutant(
        "kubectl_scratch/copies/heartbeat.py",
        'patch["metadata"]["resourceVersion"] = found.body',
        'patch["metadata"]["generation"] = found.body',
        ("tests/api/test_lease.py::test_a_renewal_that_outlasts_a_leave_does_not_undo_it[PATCH]",),
        "a renewal that is under way does not undo a leave",
    ),
    Mutant(
        "kubectl_scratch/copies/heartbeat.py",
        'if "spec" not in patch and not self._told:',
        "if False:",
        ("tests/api/test_lease.py::test_an_uncompleted_job_gives_the_copy_a_deadline",),
        "a lease that does not count down is noticed",
    ),
    # copies/join.py
    Mutant(
        "kubectl_scratch/copies/join.py",
        "if metadata.why_no_copy(copy):",
        "if False:",
        ("tests/api/test_attach.py::test_what_is_no_copy_can_not_be_joined[mypod0]",),
        "no other pod is taken for a copy",
    ),
    Mutant(
        "kubectl_scratch/copies/join.py",
        "                self._objects.clear()\n",
        "                pass\n",
        ("tests/api/test_attach.py::test_a_session_that_may_not_join_deletes_nothing",),
        "who could not join deletes nothing",
    ),
    Mutant(
        "kubectl_scratch/copies/join.py",
        "        if foreign:\n",
        "        if False:\n",
        ("tests/api/test_attach.py::test_a_running_job_of_production_is_left_alone",),
        "what is no lease of ours is not changed",
    ),
    Mutant(
        "kubectl_scratch/copies/join.py",
        "if is_going(self._pod) or is_going(found.body):",
        "if False:",
        ("tests/api/test_attach.py::test_a_copy_that_is_being_deleted_can_not_be_joined",),
        "nor that of a copy that is being deleted",
    ),
    Mutant(
        "kubectl_scratch/copies/join.py",
        "check_container(found.target)",
        "pass",
        (
            "tests/api/test_attach.py"
            "::test_an_annotation_that_names_no_container_goes_nowhere['$(id)']",
        ),
        "what anybody wrote into an annotation does not become a command",
    ),
    # copies/membership.py
    Mutant(
        "kubectl_scratch/copies/membership.py",
        "        except BaseException:\n            self._leave()\n            raise\n",
        "        except BaseException:\n            raise\n",
        ("tests/api/test_ways_out.py::test_what_the_cluster_does_not_do_is_an_error[copy-422]",),
        "a beginning that fails leaves nothing behind",
    ),
    Mutant(
        "kubectl_scratch/copies/membership.py",
        "        if not others:\n",
        "        if True:\n",
        ("tests/api/test_attach.py::test_who_leaves_last_deletes_the_copy",),
        "a copy is not deleted under another session",
    ),
    Mutant(
        "kubectl_scratch/copies/membership.py",
        "                left = [(each, problem_of(error))",
        (
            "                deletion.delete_all(self._objects)\n                left = "
            "[(each, problem_of(error))"
        ),
        (
            "tests/api/test_attach.py"
            "::test_where_nobody_can_tell_who_is_in_nothing_is_deleted[server-fault]",
        ),
        "where nobody can tell who is in a copy it is not deleted",
    ),
    # copies/seed_check.py
    Mutant(
        "kubectl_scratch/copies/seed_check.py",
        "if ours.uid and uid(found) != ours.uid:",
        "if False:",
        ("tests/api/test_seedcheck.py::test_what_was_replaced_receives_nothing[same-bytes]",),
        "a seed that was replaced receives nothing",
    ),
    Mutant(
        "kubectl_scratch/copies/seed_check.py",
        'elif found.get("immutable") is not True:',
        "elif False:",
        ("tests/api/test_seedcheck.py::test_what_was_replaced_receives_nothing[mutable]",),
        "nor one that could be changed",
    ),
    Mutant(
        "kubectl_scratch/copies/seed_check.py",
        "if ours.digest and carried != ours.digest:",
        "if False:",
        ("tests/api/test_seedcheck.py::test_what_was_replaced_receives_nothing[changed]",),
        "nor one of other bytes",
    ),
    Mutant(
        "kubectl_scratch/copies/seed_check.py",
        "if said and wanted and said != wanted:",
        "if False:",
        ("tests/api/test_seedcheck.py::test_a_program_that_says_another_checksum_is_refused",),
        "nor a program that says another checksum",
    ),
    Mutant(
        "kubectl_scratch/copies/seed_check.py",
        "if ours.owner and ours.owner not in owners:",
        "if False:",
        (
            "tests/api/test_seedcheck.py"
            "::test_of_such_a_copy_owner_and_label_are_checked[fields0-does not belong to the "
            "copy's lease]",
        ),
        "nor one that is not the copy's",
    ),
    Mutant(
        "kubectl_scratch/copies/seed_check.py",
        "self._tell(UNREADABLE)",
        "pass",
        ("tests/api/test_seedcheck.py::test_who_may_neither_get_nor_delete_it_is_told_once[403]",),
        "what could not be checked is told",
    ),
    # errors.py
    Mutant(
        "kubectl_scratch/errors.py",
        "return 128 + signum",
        "return 1",
        ("tests/api/test_ways_out.py::test_a_signal_during_a_piped_session",),
        "who was ended by a signal says so by its code",
    ),
    Mutant(
        "kubectl_scratch/errors.py",
        "return self.status in (400, 401, 403, 404, 405, 413,",
        "return self.status in (400, 401, 403, 404, 405, 409, 413,",
        (
            "tests/api/test_ways_out.py"
            "::test_an_answer_to_a_creation_that_makes_no_sense[('409', '/pods$', True)]",
        ),
        "a name that is in use may be ours: a proxy may have asked twice",
    ),
    # kube/access.py
    Mutant(
        "kubectl_scratch/kube/access.py",
        '("tokenFile", "exec", "auth-provider", "username", "password")',
        '("tokenFile", "auth-provider", "username", "password")',
        ("tests/unit/test_kubeconfig.py::test_a_token_replaces_what_else_would_log_in",),
        "with --token nobody else is logged in",
    ),
    Mutant(
        "kubectl_scratch/kube/access.py",
        '        "as": connection.as_user,\n',
        "",
        ("tests/unit/test_kubeconfig.py::test_a_shown_command_names_the_same_cluster_and_user",),
        "the printed delete command acts as the same user",
    ),
    Mutant(
        "kubectl_scratch/kube/access.py",
        '"server": connection.server and without_login(connection.server),',
        '"server": connection.server,',
        (
            "tests/api/test_connection.py"
            "::test_a_password_in_a_url_is_not_in_the_command_that_deletes",
        ),
        "the printed delete command has no password",
    ),
    Mutant(
        "kubectl_scratch/kube/access.py",
        '        "as-uid": connection.as_uid,\n',
        '        "as-uid": connection.as_uid,\n        "token": connection.token,\n',
        (
            "tests/api/test_connection.py"
            "::test_a_password_in_a_url_is_not_in_the_command_that_deletes",
        ),
        "the printed delete command has no token",
    ),
    # kube/answers.py
    Mutant(
        "kubectl_scratch/kube/answers.py",
        "if 300 <= status < 400:",
        "if False:",
        ("tests/unit/test_answers.py::test_a_redirect_is_no_answer[302]",),
        "a redirect is no answer",
    ),
    Mutant(
        "kubectl_scratch/kube/answers.py",
        "return None if _is_too_deep(value) else value",
        "return value",
        ("tests/unit/test_answers.py::test_what_is_no_object_is_one_error",),
        "an answer that is nested beyond reason is an error",
    ),
    Mutant(
        "kubectl_scratch/kube/answers.py",
        "return found if abs(found - now) < CLOCK_SKEW else now",
        "return found",
        ("tests/unit/test_answers.py::test_without_a_time_of_the_server_this_machines_counts",),
        "a Date that is nobody's time decides nothing",
    ),
    # kube/client.py
    Mutant(
        "kubectl_scratch/kube/client.py",
        '            "preconditions": {"uid": uid},\n            "propagationPolicy"',
        '            "propagationPolicy"',
        ("tests/api/test_ways_out.py::test_a_namesake_is_not_deleted",),
        "a deletion is of one object, and not of another of its name",
    ),
    Mutant(
        "kubectl_scratch/kube/client.py",
        "        if self.access.chosen_namespace:\n",
        "        if False:\n",
        ("tests/api/test_plan.py::test_a_manifest_of_another_namespace_than_the_flag_s",),
        "nothing is created in another namespace than -n says",
    ),
    Mutant(
        "kubectl_scratch/kube/client.py",
        'return self._call("POST", path, DRY_RUN, body, check=answers.check_object)',
        'return self._call("POST", path, {}, body, check=answers.check_object)',
        ("tests/api/test_plan.py::test_the_check_changes_nothing_and_tells_what_lacks",),
        "a check creates nothing",
    ),
    Mutant(
        "kubectl_scratch/kube/client.py",
        "query = DRY_RUN if dry_run else {}",
        "query: dict[str, str] = {}",
        ("tests/api/test_in_place.py::test_a_dry_run_of_the_server_adds_nothing",),
        "a dry run adds no container to a pod",
    ),
    Mutant(
        "kubectl_scratch/kube/client.py",
        "if not check(found, path):",
        "if False:",
        ("tests/api/test_answers.py::test_nonsense_is_one_clear_line[debug-metadata-list-200]",),
        "an answer that makes no sense is an error, not a traceback",
    ),
    Mutant(
        "kubectl_scratch/kube/client.py",
        "again=lambda error: error.status == GONE,",
        "again=lambda error: False,",
        ("tests/api/test_answers.py::test_a_list_whose_rest_has_expired_is_begun_again",),
        "a list whose rest has expired is begun again",
    ),
    Mutant(
        "kubectl_scratch/kube/client.py",
        "if not more:",
        "if True:",
        ("tests/api/test_answers.py::test_a_list_is_read_to_its_end",),
        "nothing of a long list is missed that might select the copy",
    ),
    Mutant(
        "kubectl_scratch/kube/client.py",
        '            "dryRun": ["All"],\n',
        "",
        ("tests/api/test_seedcheck.py::test_who_may_only_delete_it_asks_without_deleting",),
        "to ask whether it could be deleted deletes nothing",
    ),
    Mutant(
        "kubectl_scratch/kube/client.py",
        '            "preconditions": {"uid": uid},\n            "dryRun"',
        '            "dryRun"',
        (
            "tests/api/test_seedcheck.py"
            "::test_what_was_replaced_receives_nothing[same-bytes-no-get]",
        ),
        "it asks for the object of that UID",
    ),
    Mutant(
        "kubectl_scratch/kube/client.py",
        '        tasks.raise_if_abandoned()\n        headers = {"Accept": accept}',
        '        headers = {"Accept": accept}',
        ("tests/api/test_signals.py::test_who_is_given_up_asks_the_cluster_for_nothing_more",),
        "who is given up asks the API server for nothing more",
    ),
    # kube/credentials.py
    Mutant(
        "kubectl_scratch/kube/credentials.py",
        "if proof.expires is not None and proof.expires <= now:",
        "if False:",
        ("tests/unit/test_renewal.py::test_a_login_is_renewed_when_it_ends_and_before",),
        "a login that has ended is renewed",
    ),
    Mutant(
        "kubectl_scratch/kube/credentials.py",
        "elif proof.due is not None and proof.due <= now:",
        "elif False:",
        ("tests/unit/test_renewal.py::test_a_login_is_renewed_when_it_ends_and_before",),
        "a login is renewed before it ends",
    ),
    Mutant(
        "kubectl_scratch/kube/credentials.py",
        "if self._proof is old and time.monotonic()",
        "if time.monotonic()",
        ("tests/unit/test_renewal.py::test_who_has_waited_for_anothers_renewal_has_its_login",),
        "a person is not asked once for each thread",
    ),
    Mutant(
        "kubectl_scratch/kube/credentials.py",
        "if self._proof.made_of == old.made_of:",
        "if False:",
        ("tests/unit/test_renewal.py::test_a_login_that_stays_the_same_is_not_asked_for_at_once",),
        "nor once for each request, where it stays refused",
    ),
    Mutant(
        "kubectl_scratch/kube/credentials.py",
        "        if not token:\n",
        "        if False:\n",
        ("tests/api/test_logins.py::test_a_token_file_without_a_token",),
        "an empty token is an error",
    ),
    Mutant(
        "kubectl_scratch/kube/credentials.py",
        "if token and not fits_a_header(token):",
        "if False:",
        ("tests/api/test_logins.py::test_a_token_that_no_header_can_carry",),
        "a token makes no header of its own",
    ),
    Mutant(
        "kubectl_scratch/kube/credentials.py",
        "token != proof.authorization and fits_a_header(token):",
        "token != proof.authorization:",
        ("tests/api/test_logins.py::test_a_token_file_that_is_gone_for_a_moment",),
        "a token that is read later makes no header of its own",
    ),
    # kube/exec_errors.py
    Mutant(
        "kubectl_scratch/kube/exec_errors.py",
        'return ExecOutcome(None, "the connection was lost", lost=True)',
        "return ExecOutcome(0)",
        ("tests/api/test_ways_out.py::test_a_lost_connection_is_an_error",),
        "a session that was cut is no success",
    ),
    Mutant(
        "kubectl_scratch/kube/exec_errors.py",
        "return ExecOutcome(code)",
        "return ExecOutcome(1)",
        ("tests/api/test_ways_out.py::test_the_code_of_the_command_passes_through[255]",),
        "the exit code is the command's own",
    ),
    Mutant(
        "kubectl_scratch/kube/exec_errors.py",
        "return code if 0 < code < 256 else None",
        "return code",
        ("tests/unit/test_exec_stream.py::test_a_status_of_any_shape_is_an_outcome",),
        "a failure that has no code of a process is no success",
    ),
    # kube/exec_plugin.py
    Mutant(
        "kubectl_scratch/kube/exec_plugin.py",
        "where = access.policy.check(name)",
        "where = name",
        ("tests/api/test_kuberc.py::test_a_forbidden_plugin_is_one_line[flag]",),
        "no plugin runs that the user's preferences forbid",
    ),
    Mutant(
        "kubectl_scratch/kube/exec_plugin.py",
        "stdin=None if interactive else subprocess.DEVNULL,",
        "stdin=None,",
        (
            "tests/unit/test_exec_plugin.py::test_a_plugin_that_may_not_ask_reads_nothing_of_our_stdin",
        ),
        "a credential plugin takes nothing of what is typed into the session",
    ),
    Mutant(
        "kubectl_scratch/kube/exec_plugin.py",
        "atexit.register(end)",
        "pass",
        (
            "tests/api/test_logins.py"
            "::test_a_plugin_that_a_heartbeat_waits_for_does_not_outlive_us[end]",
        ),
        "a credential plugin does not outlive us",
    ),
    Mutant(
        "kubectl_scratch/kube/exec_plugin.py",
        "            start_new_session=not interactive,\n",
        "",
        ("tests/api/test_logins.py::test_a_plugin_has_no_terminal_during_a_session",),
        "nor does it ask at the session's terminal",
    ),
    Mutant(
        "kubectl_scratch/kube/exec_plugin.py",
        'return {**info, "config": named[0].get("extension") if named else None}',
        "return info",
        ("tests/unit/test_exec_plugin.py::test_a_plugin_is_told_of_the_cluster_as_by_kubectl",),
        "a plugin is told of the cluster as by kubectl",
    ),
    # kube/exec_stream.py
    Mutant(
        "kubectl_scratch/kube/exec_stream.py",
        '"redirect_limit": 0,',
        '"redirect_limit": 3,',
        ("tests/api/test_redirects.py::test_nobody_is_shown_the_login[302-ws-GET-exec]",),
        "an exec follows no redirect with the login",
    ),
    Mutant(
        "kubectl_scratch/kube/exec_stream.py",
        "renewed = endpoint.renew() if error.status == _UNAUTHORIZED else None",
        "renewed = None",
        (
            "tests/api/test_logins.py"
            "::test_what_refuses_a_login_is_asked_again_with_a_new_one[exec]",
        ),
        "an exec whose login is refused is asked again with a new one",
    ),
    Mutant(
        "kubectl_scratch/kube/exec_stream.py",
        "self._status += data[: STATUS_BYTES",
        "self._status = data[: STATUS_BYTES",
        (
            "tests/unit/test_exec_stream.py::test_an_exit_code_arrives_in_whatever_pieces[in-frames]",
        ),
        "an exit code that comes in pieces is whole",
    ),
    # kube/http.py
    Mutant(
        "kubectl_scratch/kube/http.py",
        'tuple(f"{key}: {value}" for key, value in self._headers(proof))',
        "()",
        ("tests/api/test_connection.py::test_each_request_says_who_asks",),
        "an exec is asked for as the user that everything else is",
    ),
    Mutant(
        "kubectl_scratch/kube/http.py",
        "redirect=False,",
        "redirect=True,\n                retries=5,",
        ("tests/api/test_redirects.py::test_nobody_is_shown_the_login[302-http-GET-pods-mypod]",),
        "no request follows a redirect with the login",
    ),
    Mutant(
        "kubectl_scratch/kube/http.py",
        "if tries and creates and answer.status >= 300:",
        "if False:",
        ("tests/api/test_answers.py::test_a_creation_done_in_spite_of_its_answer_is_found",),
        "what was created by a request that was sent again is found",
    ),
    Mutant(
        "kubectl_scratch/kube/http.py",
        "if wait is not None and tries < BUSY_TRIES and time.monotonic() + wait <= deadline:",
        "if False:",
        ("tests/api/test_answers.py::test_a_busy_api_server_is_asked_again_when_it_says[lease]",),
        "a busy API server is asked again",
    ),
    Mutant(
        "kubectl_scratch/kube/http.py",
        "if answer.status == _UNAUTHORIZED and not refused:",
        "if False:",
        (
            "tests/api/test_logins.py"
            "::test_what_refuses_a_login_is_asked_again_with_a_new_one[copy]",
        ),
        "what refuses a login is asked again with a new one",
    ),
    Mutant(
        "kubectl_scratch/kube/http.py",
        "if self._pool_of[0] is not proof.tls:",
        "if False:",
        (
            "tests/api/test_logins.py"
            "::test_a_renewed_certificate_is_shown_by_all_that_connects[2999-01-01T00:00:00Z]",
        ),
        "a renewed certificate is shown",
    ),
    # kube/kubeconfig.py
    Mutant(
        "kubectl_scratch/kube/kubeconfig.py",
        'merged["current-context"] or document.get("current-context")',
        'document.get("current-context")',
        ("tests/unit/test_kubeconfig.py::test_the_first_current_context_wins",),
        "of several kubeconfigs the same context is used as by kubectl",
    ),
    # kube/kuberc.py
    Mutant(
        "kubectl_scratch/kube/kuberc.py",
        "if self.kind == DENY_ALL:",
        "if False:",
        ("tests/unit/test_kuberc.py::test_which_plugins_may_run",),
        "with DenyAll none does",
    ),
    # kube/proxies.py
    Mutant(
        "kubectl_scratch/kube/proxies.py",
        'if is_loopback(urlsplit(server).hostname or ""):',
        "if False:",
        ("tests/api/test_connection.py::test_a_proxy_is_never_for_this_machine",),
        "no proxy sees what is for this machine",
    ),
    # kube/python_client.py
    Mutant(
        "kubectl_scratch/kube/python_client.py",
        "            temp_file_path=str(folder),\n",
        "",
        ("tests/api/test_connection.py::test_private_files_stand_where_only_the_user_can_read",),
        "keys are written nowhere but into a private folder",
    ),
    Mutant(
        "kubectl_scratch/kube/python_client.py",
        "session.max_redirects = 0",
        "session.max_redirects = 9",
        ("tests/api/test_logins.py::test_a_refresh_token_goes_to_the_issuer_alone",),
        "a refresh token goes to its issuer alone",
    ),
    # kube/retry.py
    Mutant(
        "kubectl_scratch/kube/retry.py",
        "if late or not again(error) or not pause(seconds):",
        "if True:",
        (
            "tests/api/test_caution.py"
            "::test_a_hiccup_of_the_namespace_scan_changes_nothing[services-503]",
        ),
        "a hiccup changes nothing in the plan",
    ),
    # kube/selectors.py
    Mutant(
        "kubectl_scratch/kube/selectors.py",
        'bool(spec.get("publishNotReadyAddresses"))',
        "False",
        ("tests/unit/test_selectors.py::test_a_service_that_publishes_unready_pods_is_known",),
        "a Service that no gate keeps from the copy is known as one",
    ),
    # kube/tls.py
    Mutant(
        "kubectl_scratch/kube/tls.py",
        "    if not verify:\n",
        "    if True:\n",
        ("tests/api/test_connection.py::test_an_unknown_server_is_not_trusted",),
        "a server's certificate is checked",
    ),
    # kube/tunnel.py
    Mutant(
        "kubectl_scratch/kube/tunnel.py",
        "sock = proxy.context.wrap_socket(sock, server_hostname=proxy.host)",
        "pass",
        ("tests/api/test_connection.py::test_a_proxy_that_speaks_tls[system]",),
        "a proxy that speaks TLS is spoken to in TLS",
    ),
    Mutant(
        "kubectl_scratch/kube/tunnel.py",
        "name = endpoint.server_hostname or host",
        "name = host",
        ("tests/api/test_connection.py::test_an_exec_checks_the_name_in_the_certificate",),
        "an exec checks the name in the certificate that --tls-server-name says",
    ),
    # kube/urls.py
    Mutant(
        "kubectl_scratch/kube/urls.py",
        'return _LOGIN.sub(lambda found: found[1] or "", url)',
        "return url",
        ("tests/api/test_connection.py::test_a_password_in_a_url_is_not_told[server-port]",),
        "no message has a password",
    ),
    # lookup/namespace_scan.py
    Mutant(
        "kubectl_scratch/lookup/namespace_scan.py",
        "return [] if error.gone else None",
        "return []",
        (
            "tests/api/test_caution.py"
            "::test_what_could_not_be_listed_may_select_the_copy[services-403]",
        ),
        "what cannot be listed may select the copy",
    ),
    # lookup/pod_selection.py
    Mutant(
        "kubectl_scratch/lookup/pod_selection.py",
        "if not metadata.says_copy(pod)]",
        "if pod]",
        ("tests/unit/test_pod_selection.py::test_a_copy_is_never_a_candidate",),
        "debug deployment/x takes no copy",
    ),
    # lookup/preflight.py
    Mutant(
        "kubectl_scratch/lookup/preflight.py",
        "if not misfits:",
        "if True:",
        (
            "tests/api/test_owners.py"
            "::test_the_check_sees_what_no_node_can_take[spec0-its node selector or affinity does "
            "not match (1 of 1)]",
        ),
        "the check sees what no node can take",
    ),
    # lookup/secret_facts.py
    Mutant(
        "kubectl_scratch/lookup/secret_facts.py",
        'frozenset((*(found.get("data") or {}), *(found.get("binaryData") or {})))',
        'frozenset((found.get("data") or {}).values())',
        (
            "tests/unit/test_why_facts.py::test_a_secret_is_read_for_its_keys_if_one_is_missing",
            "tests/unit/test_why_facts.py::"
            "test_what_a_pod_names_is_read_and_no_value_of_it_is_kept",
        ),
        "no value of a Secret or ConfigMap is kept",
    ),
    Mutant(
        "kubectl_scratch/lookup/secret_facts.py",
        "if any(text in said for said in said_of_waiting(facts) for text in _NO_KEY):",
        "if True:",
        ("tests/unit/test_why_facts.py::test_whether_a_secret_exists_is_asked_without_its_values",),
        "a Secret is not read if its name is enough",
    ),
    # lookup/source.py
    Mutant(
        "kubectl_scratch/lookup/source.py",
        "    if generated:\n",
        "    if False:\n",
        ("tests/api/test_manifest.py::test_a_name_that_is_to_be_generated[Pod]",),
        "a name that is to be generated is that of no object",
    ),
    Mutant(
        "kubectl_scratch/lookup/source.py",
        "return [pod for pod in pods if _controller_of(pod) in uids]",
        "return pods",
        ("tests/api/test_owners.py::test_a_pod_that_only_looks_like_a_deployments",),
        "a pod that only looks like a Deployment's is not copied in its name",
    ),
    Mutant(
        "kubectl_scratch/lookup/source.py",
        "[pod for pod in _list(cluster, query) if _controller_of(pod) in mine]",
        "_list(cluster, query)",
        ("tests/api/test_owners.py::test_a_pod_that_only_looks_like_a_cronjobs",),
        "nor one that looks like a CronJob's",
    ),
    Mutant(
        "kubectl_scratch/lookup/source.py",
        "return [pod for pod in pods if _is_named_after(pod, owner)]",
        "return pods",
        ("tests/api/test_owners.py::test_without_replicasets_the_names_of_the_owners_tell[403]",),
        "also where ReplicaSets can't be listed",
    ),
    # plan/build.py
    Mutant(
        "kubectl_scratch/plan/build.py",
        "        *taken_findings(copied.manifest),\n",
        "",
        (
            "tests/unit/test_plan.py"
            "::test_what_the_pod_has_by_the_name_of_ours_is_a_blocker_with_a_way",
        ),
        "a volume of the source is not taken for ours",
    ),
    Mutant(
        "kubectl_scratch/plan/build.py",
        "labels={**kept.labels, **fixed},",
        "labels={**kept.labels},",
        ("tests/unit/test_plan.py::test_what_a_plan_creates_can_be_found_again",),
        "what was created can be found by its labels",
    ),
    Mutant(
        "kubectl_scratch/plan/build.py",
        "{**creation_annotations(place, creation), **entry}",
        "{**creation_annotations(place, creation)}",
        ("tests/api/test_attach.py::test_a_signal_in_one_session_leaves_the_other_alone",),
        "the first session is counted from the beginning",
    ),
    Mutant(
        "kubectl_scratch/plan/build.py",
        "if SERVICE.plural in selectors.unknown:",
        "if SERVICE.plural in selectors.unknown and False:",
        (
            "tests/unit/test_strangers.py"
            "::test_a_healthy_source_is_held_unless_a_service_is_known_to_select_it",
        ),
        "what is said of an unknown Service is true",
    ),
    Mutant(
        "kubectl_scratch/plan/build.py",
        ' or (unserved and f"{unserved}, {MAY_TAKE}")',
        "",
        (
            "tests/unit/test_strangers.py"
            "::test_a_healthy_source_is_held_unless_a_service_is_known_to_select_it",
        ),
        "what no Service is known to select is held",
    ),
    Mutant(
        "kubectl_scratch/plan/build.py",
        "caution = read_only_caution(source, target, options) or (unserved",
        "caution = (unserved",
        (
            "tests/api/test_caution.py"
            "::test_a_target_that_writes_to_a_volume_of_production_is_held[claim]",
        ),
        "who would write to production's volume is held",
    ),
    # plan/debug_container.py
    Mutant(
        "kubectl_scratch/plan/debug_container.py",
        "own = seed_mounts(DEBUG_TOOLKIT_VOLUME)",
        "own = seed_mounts()",
        ("tests/unit/test_debug_container.py::test_a_twin_runs_nothing_that_the_app_could_write",),
        "a debug container, which may be privileged, runs nothing that the app could write",
    ),
    Mutant(
        "kubectl_scratch/plan/debug_container.py",
        "not in (SEED_VOLUME, TOOLKIT_VOLUME)",
        "not in (SEED_VOLUME,)",
        ("tests/unit/test_debug_container.py::test_a_twin_runs_nothing_that_the_app_could_write",),
        "nor has it the app's toolkit folder",
    ),
    Mutant(
        "kubectl_scratch/plan/debug_container.py",
        'container["command"] = [archive.SEED, "idle", "0"]',
        "pass",
        (
            "tests/unit/test_debug_container.py"
            "::test_a_twin_has_what_the_app_sees_and_nothing_that_acts_on_it",
        ),
        "a twin does not run the app a second time",
    ),
    Mutant(
        "kubectl_scratch/plan/debug_container.py",
        'context["runAsUser"] = NOBODY',
        "pass",
        (
            "tests/unit/test_debug_container.py"
            "::test_where_root_is_forbidden_and_the_user_unknown_it_is_nobody_and_says_so",
        ),
        "where root is forbidden the debug container is not root",
    ),
    Mutant(
        "kubectl_scratch/plan/debug_container.py",
        'reference.setdefault("containerName", target["name"])',
        "pass",
        ("tests/unit/test_debug_container.py::test_a_twin_reads_the_resources_of_the_app",),
        "a twin reads the resources of the app, not its own",
    ),
    # plan/entrypoint_discovery.py
    Mutant(
        "kubectl_scratch/plan/entrypoint_discovery.py",
        '            "automountServiceAccountToken": False,\n',
        "",
        ("tests/unit/test_entrypoint_discovery.py::test_it_reaches_as_little_as_can_be",),
        "a watched app has no token",
    ),
    Mutant(
        "kubectl_scratch/plan/entrypoint_discovery.py",
        'CONTAINER_KEPT = ("args",',
        'CONTAINER_KEPT = ("volumeMounts", "args",',
        (
            "tests/unit/test_entrypoint_discovery.py::test_the_watched_app_has_none_of_the_data_of_the_pod",
        ),
        "a watched app has none of the pod's data",
    ),
    Mutant(
        "kubectl_scratch/plan/entrypoint_discovery.py",
        'paths = [item for item in target.get("env") or [] if _is_literal_path(item)]',
        'paths = target.get("env")',
        (
            "tests/unit/test_entrypoint_discovery.py::test_the_watched_app_has_none_of_the_data_of_the_pod",
        ),
        "a watched app has none of the pod's variables",
    ),
    Mutant(
        "kubectl_scratch/plan/entrypoint_discovery.py",
        '            "activeDeadlineSeconds": LIFE_SECONDS,\n',
        "",
        ("tests/unit/test_entrypoint_discovery.py::test_it_ends_by_itself",),
        "a watched app ends by itself",
    ),
    # plan/in_place.py
    Mutant(
        "kubectl_scratch/plan/in_place.py",
        "return note.form == container_digest(wanted) and found ==",
        "return note.form == container_digest(wanted) or found ==",
        (
            "tests/unit/test_in_place.py"
            "::test_a_container_is_used_for_what_it_is_and_not_for_what_its_note_says",
        ),
        "a container that only says that it is ours is not used",
    ),
    # plan/labels.py
    Mutant(
        "kubectl_scratch/plan/labels.py",
        "if key in CONTROLLERS_OWN:",
        "if False:",
        ("tests/unit/test_labels.py::test_what_a_controller_wrote_is_dropped",),
        "a copy has no identity that a controller gave",
    ),
    Mutant(
        "kubectl_scratch/plan/labels.py",
        "if key in ours or key.startswith(KEY_PREFIX):",
        "if False:",
        ("tests/unit/test_labels.py::test_what_is_ours_on_the_copy_is_dropped",),
        "a copy is found by labels of its own",
    ),
    Mutant(
        "kubectl_scratch/plan/labels.py",
        "if selectors.unknown and not keep_all:",
        "if False:",
        ("tests/unit/test_labels.py::test_where_a_kind_is_unknown_nothing_is_kept",),
        "what can't be listed does not select the copy",
    ),
    Mutant(
        "kubectl_scratch/plan/labels.py",
        "gate=not keep_all and _needs_gate(case, dropped),",
        "gate=False,",
        (
            "tests/unit/test_labels.py::test_a_gate_keeps_the_copy_out_of_a_service_that_shares_the_policy_s_label",
        ),
        "no Service sends the copy traffic",
    ),
    Mutant(
        "kubectl_scratch/plan/labels.py",
        "        gate=_needs_gate(case, dropped),\n",
        "        gate=False,\n",
        (
            "tests/unit/test_labels.py"
            "::test_where_a_kind_is_unknown_what_is_known_to_select_the_copy_is_said",
        ),
        "nor where some kind cannot be listed",
    ),
    Mutant(
        "kubectl_scratch/plan/labels.py",
        "adopting = that_select(selectors.controllers, copy)",
        "adopting: list[Selecting] = []",
        ("tests/unit/test_labels.py::test_a_policy_is_given_up_for_what_no_gate_helps_against",),
        "no controller adopts the copy",
    ),
    Mutant(
        "kubectl_scratch/plan/labels.py",
        "sum(each.publishes_unready for each in serving),",
        "0,",
        ("tests/unit/test_labels.py::test_a_policy_is_given_up_for_what_no_gate_helps_against",),
        "a Service that publishes what is not ready does not select the copy",
    ),
    Mutant(
        "kubectl_scratch/plan/labels.py",
        "if stranger and not keep_all:",
        "if False:",
        (
            "tests/unit/test_strangers.py"
            "::test_of_an_owner_that_no_list_has_no_label_is_kept_and_that_is_said[CloneSet-app"
            "s.kruise.io/v1alpha1]",
        ),
        "no owner whose selector nobody knows adopts the copy",
    ),
    Mutant(
        "kubectl_scratch/plan/labels.py",
        '(k.title, k.group) == (owner.get("kind"), group)',
        'k.title == owner.get("kind")',
        (
            "tests/unit/test_strangers.py"
            "::test_of_an_owner_that_no_list_has_no_label_is_kept_and_that_is_said[StatefulSet-"
            "apps.kruise.io/v1beta1]",
        ),
        "a kind of another group is another kind",
    ),
    Mutant(
        "kubectl_scratch/plan/labels.py",
        "if key.startswith(prefix):",
        "if False:",
        (
            "tests/unit/test_strangers.py"
            "::test_a_label_by_which_alone_a_manager_acts_is_never_kept[cnpg.io/-chosen]",
        ),
        "no manager acts on the copy by a label alone",
    ),
    # plan/lease.py
    Mutant(
        "kubectl_scratch/plan/lease.py",
        '            "completions": 0,\n',
        '            "completions": 1,\n',
        ("tests/unit/test_lease.py::test_a_lease_starts_no_pod_and_ends_by_itself",),
        "a lease is Complete as soon as its controller sees it, or it would never end",
    ),
    Mutant(
        "kubectl_scratch/plan/lease.py",
        '            "parallelism": 0,\n',
        '            "parallelism": 1,\n',
        ("tests/unit/test_lease.py::test_a_lease_starts_no_pod_and_ends_by_itself",),
        "a lease starts no pod",
    ),
    Mutant(
        "kubectl_scratch/plan/lease.py",
        '            "ttlSecondsAfterFinished": math.ceil(ttl),\n',
        "",
        ("tests/unit/test_lease.py::test_a_lease_starts_no_pod_and_ends_by_itself",),
        "a copy is removed with no client alive",
    ),
    Mutant(
        "kubectl_scratch/plan/lease.py",
        "longest = max(longer,",
        "longest = min(longer,",
        ("tests/unit/test_lease.py::test_a_renewal_never_shortens_what_another_session_asked_for",),
        "one session shortens no other one's lease",
    ),
    Mutant(
        "kubectl_scratch/plan/lease.py",
        "math.ceil((now - completed).total_seconds() + ttl)",
        "math.ceil(ttl)",
        ("tests/unit/test_lease.py::test_the_ttl_counts_from_the_completion[12:01:40-400]",),
        "a long session keeps its copy",
    ),
    Mutant(
        "kubectl_scratch/plan/lease.py",
        'patch: Json = {"metadata": {"uid": uid(job), "annotations": entry}}',
        'patch: Json = {"metadata": {"annotations": entry}}',
        ("tests/unit/test_lease.py::test_a_renewal_names_the_uid_and_keeps_the_entry",),
        "no namesake of a lease is renewed",
    ),
    Mutant(
        "kubectl_scratch/plan/lease.py",
        '{"metadata": {"uid": job_uid, "annotations"',
        '{"metadata": {"annotations"',
        ("tests/unit/test_lease.py::test_a_leave_names_the_uid_and_the_entry",),
        "no namesake of a lease is left",
    ),
    Mutant(
        "kubectl_scratch/plan/lease.py",
        '"name": metadata["name"], "uid": uid(job)}',
        '"name": metadata["name"], "uid": uid(job), "controller": True}',
        ("tests/unit/test_lease.py::test_the_owner_does_not_control_the_copy",),
        "the Job controller does not count the copy",
    ),
    Mutant(
        "kubectl_scratch/plan/lease.py",
        "if (name(job), namespace(job)) != (name(pod), namespace(pod)):",
        "if False:",
        ("tests/unit/test_lease.py::test_a_job_of_another_name_is_no_lease_of_a_pod",),
        "a Job of another name is no lease of it",
    ),
    Mutant(
        "kubectl_scratch/plan/lease.py",
        'for field in ("completions", "parallelism"):',
        'for field in ("parallelism",):',
        ("tests/unit/test_lease.py::test_what_differs_in_one_property_is_not_ours[completions]",),
        "nor one that has something to complete",
    ),
    Mutant(
        "kubectl_scratch/plan/lease.py",
        'for field in ("completions", "parallelism"):',
        'for field in ("completions",):',
        ("tests/unit/test_lease.py::test_what_differs_in_one_property_is_not_ours[parallelism]",),
        "nor one that runs pods",
    ),
    Mutant(
        "kubectl_scratch/plan/lease.py",
        'if repr(job["spec"].get(field)) != "0":',
        'if job["spec"].get(field) != 0:',
        (
            "tests/unit/test_lease.py"
            "::test_what_differs_in_one_property_is_not_ours[completions-false]",
        ),
        "nor one that says something else than a number",
    ),
    Mutant(
        "kubectl_scratch/plan/lease.py",
        '    if job["metadata"].get("ownerReferences"):\n',
        "    if False:\n",
        ("tests/unit/test_lease.py::test_what_differs_in_one_property_is_not_ours[job-owned]",),
        "nor one that has an owner",
    ),
    Mutant(
        "kubectl_scratch/plan/lease.py",
        "if known != [owner_reference(job)]:",
        "if False:",
        ("tests/unit/test_lease.py::test_what_differs_in_one_property_is_not_ours[owner-uid]",),
        "nor one that does not own the pod",
    ),
    Mutant(
        "kubectl_scratch/plan/lease.py",
        "if known != [owner_reference(job)]:",
        "if owner_reference(job) not in known:",
        ("tests/unit/test_lease.py::test_what_differs_in_one_property_is_not_ours[second-owner]",),
        "nor one that shares it",
    ),
    Mutant(
        "kubectl_scratch/plan/lease.py",
        '    if owners[0].get("controller"):\n',
        "    if False:\n",
        (
            "tests/unit/test_lease.py"
            "::test_what_differs_in_one_property_is_not_ours[owner-controls]",
        ),
        "nor one that controls it",
    ),
    # plan/metadata.py
    Mutant(
        "kubectl_scratch/plan/metadata.py",
        "        labels.items() <= labels_of(found).items()\n",
        "        True\n",
        (
            "tests/api/test_ways_out.py"
            "::test_what_was_perhaps_created_by_another_is_left_alone[labels]",
        ),
        "nor by its annotations",
    ),
    Mutant(
        "kubectl_scratch/plan/metadata.py",
        "        and annotations.items() <= annotations_of(found).items()\n",
        "",
        (
            "tests/api/test_ways_out.py"
            "::test_what_was_perhaps_created_by_another_is_left_alone[annotations]",
        ),
        "nor by its labels",
    ),
    Mutant(
        "kubectl_scratch/plan/metadata.py",
        "return note if all(0 <= t <= MOST_SECONDS for t in (note.limit, note.linger)) else None",
        "return note",
        ("tests/unit/test_in_place.py::test_a_note_of_somebody_else_s_is_none",),
        "a note that can't be ours is none",
    ),
    Mutant(
        "kubectl_scratch/plan/metadata.py",
        "return sum(value > now.strftime(API_TIME)",
        "return sum(bool(value) or value > now.strftime(API_TIME)",
        ("tests/unit/test_lease.py::test_an_entry_counts_until_it_expires",),
        "a session that was killed keeps no copy for ever",
    ),
    Mutant(
        "kubectl_scratch/plan/metadata.py",
        "    if not is_ours(pod):\n",
        "    if False:\n",
        ("tests/unit/test_lease.py::test_what_differs_in_one_property_is_not_ours[pod-label]",),
        "a pod without our label is no copy",
    ),
    Mutant(
        "kubectl_scratch/plan/metadata.py",
        "    if not session_of(pod):\n",
        "    if False:\n",
        (
            "tests/unit/test_lease.py"
            "::test_what_differs_in_one_property_is_not_ours[pod-no-session]",
        ),
        "nor one without a session",
    ),
    Mutant(
        "kubectl_scratch/plan/metadata.py",
        "    if not annotations_of(pod).get(SOURCE_ANNOTATION):\n",
        "    if False:\n",
        ("tests/unit/test_lease.py::test_what_differs_in_one_property_is_not_ours[pod-no-source]",),
        "nor one without a source",
    ),
    Mutant(
        "kubectl_scratch/plan/metadata.py",
        "    if not is_ours(job):\n",
        "    if False:\n",
        ("tests/unit/test_lease.py::test_what_differs_in_one_property_is_not_ours[job-label]",),
        "nor one without our label",
    ),
    Mutant(
        "kubectl_scratch/plan/metadata.py",
        "if session_of(job) != session_of(pod):",
        "if False:",
        ("tests/unit/test_lease.py::test_what_differs_in_one_property_is_not_ours[job-session]",),
        "nor one of another session",
    ),
    Mutant(
        "kubectl_scratch/plan/metadata.py",
        "if annotations_of(job).get(SOURCE_ANNOTATION) !=",
        "if annotations_of(pod).get(SOURCE_ANNOTATION) !=",
        ("tests/unit/test_lease.py::test_what_differs_in_one_property_is_not_ours[job-source]",),
        "nor one of another source",
    ),
    # plan/mode.py
    Mutant(
        "kubectl_scratch/plan/mode.py",
        "discovers = unknown and (runs_anyway if options.learn is None else options.learn)",
        "discovers = unknown and options.learn is not False",
        ("tests/unit/test_mode_plan.py::test_when_a_run_is_watched",),
        "an app is started unasked only where the kubelet starts it again anyway",
    ),
    Mutant(
        "kubectl_scratch/plan/mode.py",
        "why = ailment(source, target, now) or caution",
        "why = ailment(source, target, now)",
        ("tests/unit/test_mode.py::test_a_healthy_target_of_which_caution_is_due_is_held",),
        "a worker's copy takes no work unasked",
    ),
    Mutant(
        "kubectl_scratch/plan/mode.py",
        "return Mode(view, asked.hold,",
        "return Mode(view, bool(why),",
        ("tests/unit/test_mode.py::test_what_is_asked_for_decides",),
        "a target is held where the user says so",
    ),
    # plan/podcopy/container_edits.py
    Mutant(
        "kubectl_scratch/plan/podcopy/container_edits.py",
        'PROBES = ("livenessProbe", "readinessProbe", STARTUP)',
        'PROBES = ("readinessProbe", STARTUP)',
        (
            "tests/unit/test_copy_manifest.py::test_the_target_has_no_probe[app-containers-livenessProbe]",
        ),
        "no probe restarts what is looked at",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/container_edits.py",
        'if lifecycle.pop("preStop", None) is not None:',
        "if False:",
        ("tests/unit/test_copy_manifest.py::test_stop_hooks_go_and_start_hooks_stay",),
        "the deletion of a copy runs no hook",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/container_edits.py",
        'port.pop("hostPort", None)',
        "pass",
        ("tests/unit/test_copy_manifest.py::test_host_ports_go_and_container_ports_stay",),
        "a copy takes no port of the node",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/container_edits.py",
        "if host_network and ports:",
        "if False:",
        ("tests/unit/test_copy_manifest.py::test_in_the_host_s_network_every_port_is_a_host_port",),
        "a copy in the host's network takes no port of the node",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/container_edits.py",
        "if probe == STARTUP and gates and name != target and not hold_all:",
        "if False:",
        (
            "tests/unit/test_copy_manifest.py"
            "::test_a_probe_stays_where_what_comes_after_waits_for_it[initContainers-more2-kept"
            "2]",
        ),
        "what starts after a sidecar waits for it",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/container_edits.py",
        "name != target and not hold_all:",
        "name != target:",
        ("tests/unit/test_copy_manifest.py::test_a_sidecar_that_idles_is_asked_nothing",),
        "no probe asks what idles",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/container_edits.py",
        "gates and name != target",
        "gates",
        (
            "tests/unit/test_copy_manifest.py"
            "::test_the_target_has_no_probe[proxy-initContainers-startupProbe]",
        ),
        "nor the target, where that is a sidecar",
    ),
    # plan/podcopy/downward_api.py
    Mutant(
        "kubectl_scratch/plan/podcopy/downward_api.py",
        'env[place] = {**literal, "value": value.replace("$", "$$")}',
        'env[place] = {**literal, "value": value}',
        ("tests/unit/test_downward_api.py::test_a_variable_has_the_source_s_value",),
        "what the app reads of its pod is not expanded once more",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/downward_api.py",
        "return owns_name or not is_of_a_pod(self.source)",
        "return not is_of_a_pod(self.source)",
        (
            "tests/unit/test_downward_api.py"
            "::test_two_that_run_never_share_an_identity[False-False-source_s_name0]",
        ),
        "two that run never have one identity",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/downward_api.py",
        "return networks or path in _ADDRESSES or path in OF_THE_NODE",
        "return networks or path in OF_THE_NODE",
        ("tests/unit/test_downward_api.py::test_what_is_the_copy_s_own_is_said",),
        "a copy knows that it has not the source's address",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/downward_api.py",
        "return found[1] == ANNOTATIONS and found[2].startswith(notes.OF_ADDRESSES)",
        "return False",
        (
            "tests/unit/test_downward_api.py::test_an_address_that_a_network_wrote_is_the_copy_s_own",
        ),
        "nor that of another network",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/downward_api.py",
        "if size > ANNOTATIONS_FIT:",
        "if size > 2 * ANNOTATIONS_FIT:",
        (
            "tests/unit/test_downward_api.py"
            "::test_values_that_are_too_large_stay_the_copy_s_own_and_that_is_said",
        ),
        "the API server takes the copy's annotations",
    ),
    # plan/podcopy/manifest.py
    Mutant(
        "kubectl_scratch/plan/podcopy/manifest.py",
        '"spec": unshared(source["spec"]),',
        '"spec": source["spec"],',
        (
            "tests/unit/test_copy_manifest.py"
            "::test_the_source_is_never_changed_and_the_copy_is_always_the_same",
        ),
        "the source is not changed",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/manifest.py",
        '"labels": dict(decisions.labels),',
        '"labels": {**(source["metadata"].get("labels") or {}), **decisions.labels},',
        ("tests/unit/test_copy_manifest.py::test_metadata_is_ours_alone",),
        "a copy has the labels that were chosen, and no others",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/manifest.py",
        'pod["metadata"]["annotations"].update(decisions.annotations)',
        "pass",
        ("tests/unit/test_copy_manifest.py::test_our_marks_win_over_those_of_a_copy_s_copy",),
        "a copy says of itself what it is",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/manifest.py",
        "        volume_edits.drop_token_volume,\n",
        "",
        ("tests/unit/test_copy_manifest.py::test_the_injected_token_volume_goes_with_its_mounts",),
        "a copy gets a token of its own",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/manifest.py",
        "        *((scheduling.keep_out_of_services,) if decisions.gate else ()),\n",
        "",
        ("tests/unit/test_copy_manifest.py::test_a_gate_of_ours_replaces_those_of_the_source",),
        "a gate that is needed is there",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/manifest.py",
        '    pod["spec"]["restartPolicy"] = "Always"\n',
        "",
        ("tests/unit/test_copy_manifest.py::test_the_copy_outlives_its_app",),
        "a copy outlives its app",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/manifest.py",
        'pod["spec"]["terminationGracePeriodSeconds"] = GRACE_SECONDS',
        "pass",
        ("tests/unit/test_copy_manifest.py::test_a_copy_ends_quickly_whoever_deletes_it",),
        "a copy that is deleted is gone soon",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/manifest.py",
        'unshared(source["spec"])',
        '__import__("copy").deepcopy(source["spec"])',
        ("tests/unit/test_downward_api.py::test_two_that_run_never_share_an_identity",),
        "an anchor of a manifest makes no two containers one",
    ),
    # plan/podcopy/scheduling.py
    Mutant(
        "kubectl_scratch/plan/podcopy/scheduling.py",
        "if same_node or attached:",
        "if same_node:",
        (
            "tests/unit/test_copy_manifest.py"
            "::test_the_node_of_a_claim_is_required_beside_what_was_required",
        ),
        "a volume is attached to no second node",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/scheduling.py",
        'pod["spec"].pop("nodeName", None)',
        'pod["spec"].get("nodeName")',
        ("tests/unit/test_copy_manifest.py::test_a_field_that_the_copy_must_not_have[nodeName]",),
        "the scheduler checks that the copy fits",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/scheduling.py",
        'dropped = {field: pod["spec"].pop(field, None) for field in PRIORITY}',
        'dropped = {field: pod["spec"].get(field) for field in PRIORITY}',
        ("tests/unit/test_copy_manifest.py::test_a_field_that_the_copy_must_not_have[priority]",),
        "a copy preempts nothing",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/scheduling.py",
        '[*gates, {"conditionType": NEVER_READY}]',
        "[*gates]",
        ("tests/unit/test_copy_manifest.py::test_a_gate_of_ours_replaces_those_of_the_source",),
        "a Service that selects the copy sends it nothing",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/scheduling.py",
        'if pod["spec"].pop(field, None):\n            yield Edit(f"spec.{field}", "it is the',
        'if pod["spec"].get(field):\n            yield Edit(f"spec.{field}", "it is the',
        ("tests/unit/test_copy_manifest.py::test_a_field_that_the_copy_must_not_have[hostname]",),
        "a copy is no member of a StatefulSet by its name in DNS",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/scheduling.py",
        'kinds = ("hostPath", "persistentVolumeClaim")',
        'kinds = ("persistentVolumeClaim",)',
        ("tests/unit/test_host_paths.py::test_a_path_of_the_node_needs_that_node",),
        "a path is read on the node that has it",
    ),
    # plan/podcopy/seed_edits.py
    Mutant(
        "kubectl_scratch/plan/podcopy/seed_edits.py",
        '    if container.pop("lifecycle", None) is not None:\n',
        "    if False:\n",
        ("tests/unit/test_seed_edits.py::test_a_start_hook_goes_from_a_held_target_alone",),
        "no hook of a held target runs",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/seed_edits.py",
        '    container.pop("lifecycle", None)\n    yield',
        "    yield",
        (
            "tests/unit/test_seed_edits.py::test_with_hold_all_the_others_idle_and_plain_init_containers_go",
        ),
        "nor one of its neighbours, with --hold-all",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/seed_edits.py",
        "        yield from _leave_out_init(pod, target)\n",
        "        pass\n",
        (
            "tests/unit/test_seed_edits.py::test_with_hold_all_the_others_idle_and_plain_init_containers_go",
        ),
        "with --hold-all no init container runs again",
    ),
    # plan/podcopy/sub_paths.py
    Mutant(
        "kubectl_scratch/plan/podcopy/sub_paths.py",
        "elif volume in may_make:",
        "elif False:",
        ("tests/unit/test_sub_paths.py::test_an_expression_is_the_source_s_own_folder",),
        "no folder of an unknown name is made in production's volume",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/sub_paths.py",
        "if not is_new or volume not in may_make - writable:",
        "if True:",
        ("tests/unit/test_sub_paths.py::test_a_folder_of_an_expression_is_not_made[status3-True]",),
        "nor one that the source has not mounted",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/sub_paths.py",
        'if not has_started(source, container["name"]):',
        "if False:",
        ("tests/unit/test_sub_paths.py::test_a_folder_of_an_expression_is_not_made[status3-True]",),
        "nor one that it would mount only once it starts",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/sub_paths.py",
        "known = downward_api.environment(source, was)",
        "known = downward_api.environment(pod, was)",
        (
            "tests/unit/test_sub_paths.py"
            "::test_the_name_in_a_folder_is_the_source_s_whatever_the_variable_says[False]",
        ),
        "a folder that is called after the pod is the source's",
    ),
    # plan/podcopy/volume_edits.py
    Mutant(
        "kubectl_scratch/plan/podcopy/volume_edits.py",
        '{"configMap", "downwardAPI",',
        '{"persistentVolumeClaim", "configMap", "downwardAPI",',
        ("tests/unit/test_copy_manifest.py::test_what_outlives_the_pod_is_mounted_read_only",),
        "production's claims are read-only",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/volume_edits.py",
        "return bool(kinds) and not kinds <= PRIVATE_VOLUMES",
        'return bool(kinds & {"hostPath", "persistentVolumeClaim"})',
        ("tests/unit/test_copy_manifest.py::test_what_outlives_the_pod_is_mounted_read_only",),
        "a kind of volume that is not known is taken for production's",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/volume_edits.py",
        'mount["readOnly"] = True',
        "pass",
        ("tests/unit/test_copy_manifest.py::test_what_outlives_the_pod_is_mounted_read_only",),
        "what outlives the pod is mounted read-only",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/volume_edits.py",
        'mount.pop("mountPropagation", None)',
        "pass",
        ("tests/unit/test_copy_manifest.py::test_a_mount_never_propagates_to_the_node",),
        "a mount that the copy makes is none of the node's",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/volume_edits.py",
        'if mount.get("mountPropagation") != "None":',
        'if not mount.get("readOnly"):',
        ("tests/unit/test_copy_manifest.py::test_a_mount_never_propagates_to_the_node",),
        "also of a mount that was read-only already",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/volume_edits.py",
        'kept = [device for device in devices if device["name"] not in shared]',
        "kept = devices",
        ("tests/unit/test_copy_manifest.py::test_a_shared_block_device_is_left_out_and_said",),
        "no second pod writes to production's block device",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/volume_edits.py",
        'if ONE_POD_ALONE in (((found or {}).get("spec") or {}).get("accessModes") or []):',
        "if False:",
        ("tests/unit/test_copy_manifest.py::test_a_claim_for_one_pod_alone_blocks",),
        "a claim that one pod alone can use is not asked for",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/volume_edits.py",
        'context["fsGroupChangePolicy"] = policy',
        "pass",
        ("tests/unit/test_copy_manifest.py::test_owners_of_files_are_kept_where_there_are_files",),
        "the owners of production's files stay",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/volume_edits.py",
        'mount["recursiveReadOnly"] = "IfPossible"',
        "pass",
        ("tests/unit/test_host_paths.py::test_what_is_below_a_mount_is_read_only_as_well",),
        "what is mounted below is read-only, too",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/volume_edits.py",
        'if mount.get("mountPropagation") != "None":',
        'if mount.get("mountPropagation") == "Bidirectional":',
        ("tests/unit/test_host_paths.py::test_what_is_below_a_mount_is_read_only_as_well",),
        "what the node mounts later is not writable in the copy",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/volume_edits.py",
        '_drop(pod, {v["name"] for v in volumes(pod) if host_paths.commanding_path(v)} - writable)',
        "pass",
        (
            "tests/unit/test_host_paths.py"
            "::test_what_commands_a_runtime_or_a_device_is_left_out[/var/run/docker.sock-None]",
        ),
        "a copy commands no runtime and no device",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/volume_edits.py",
        'volume["hostPath"] = {**volume["hostPath"], "type": host_paths.MADE[kind]}',
        "pass",
        (
            "tests/unit/test_host_paths.py"
            "::test_nothing_is_made_on_a_node[DirectoryOrCreate-/srv/x-Directory]",
        ),
        "nothing is made on a node",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/volume_edits.py",
        "elif found is not None and _phase(found) != BOUND:",
        "elif False:",
        ("tests/unit/test_copy_manifest.py::test_a_copy_binds_no_claim",),
        "a copy binds no claim",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/volume_edits.py",
        "elif claims is None and not node:",
        "elif False:",
        (
            "tests/unit/test_copy_manifest.py"
            "::test_a_copy_binds_no_claim[None-None-Level.BLOCKER-claims cannot be listed]",
        ),
        "nor one of which nothing is known",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/volume_edits.py",
        "elif asked in retaining:",
        "elif False:",
        (
            "tests/unit/test_copy_manifest.py"
            "::test_no_volume_is_left_behind_for_ever[volume1-classes1-Level.BLOCKER]",
        ),
        "no copy leaves a volume behind for ever",
    ),
    Mutant(
        "kubectl_scratch/plan/podcopy/volume_edits.py",
        "spared = options.writable | options.skip_volumes",
        "spared = options.writable",
        ("tests/unit/test_mode.py::test_which_volumes_are_read_only_in_the_copy_alone",),
        "what is left out is not told as read-only",
    ),
    # plan/seed.py
    Mutant(
        "kubectl_scratch/plan/seed.py",
        '"mountPath": archive.SEED_FOLDER, "readOnly": True}',
        '"mountPath": archive.SEED_FOLDER}',
        ("tests/unit/test_seed_edits.py::test_nothing_may_write_where_the_seed_is",),
        "nobody in the copy changes the seed",
    ),
    Mutant(
        "kubectl_scratch/plan/seed.py",
        'verbatim = [word.replace("$", "$$") for word in said]',
        "verbatim = list(said)",
        ("tests/unit/test_seed_edits.py::test_what_is_known_of_an_entrypoint",),
        "the user's command is run as it was given",
    ),
    Mutant(
        "kubectl_scratch/plan/seed.py",
        '        "immutable": True,\n',
        "",
        (
            "tests/api/test_seedcheck.py"
            "::test_what_is_ours_is_immutable_and_the_copy_says_which_it_is",
        ),
        "the seed's bytes stay what they were",
    ),
    # plan/storage.py
    Mutant(
        "kubectl_scratch/plan/storage.py",
        "return is_1_30 and not is_recursive(node, runtime_class)",
        "return False",
        (
            "tests/unit/test_copy_manifest.py"
            "::test_a_kubelet_that_refuses_what_it_cannot_do_is_not_asked[v1.30.14-None-True]",
        ),
        "no kubelet is asked for what it refuses",
    ),
    # plan/target_container.py
    Mutant(
        "kubectl_scratch/plan/target_container.py",
        "    if says_copy(source):\n",
        "    if False:\n",
        ("tests/unit/test_plan.py::test_a_copy_is_not_copied",),
        "there is no copy of a copy",
    ),
    # runtime/console.py
    Mutant(
        "kubectl_scratch/runtime/console.py",
        'c if c.isprintable() else c.encode("unicode_escape").decode()',
        "c",
        ("tests/unit/test_console.py::test_what_a_cluster_sends_can_not_move_the_cursor",),
        "what a cluster sends says nothing to the terminal",
    ),
    Mutant(
        "kubectl_scratch/runtime/console.py",
        "            text = printable(text)\n            before",
        "            before",
        ("tests/unit/test_console.py::test_a_line_is_one_line_whatever_it_quotes",),
        "each line on stderr is escaped",
    ),
    Mutant(
        "kubectl_scratch/runtime/console.py",
        "        except (OSError, ValueError):\n            self._unwritten.clear()",
        "        except ZeroDivisionError:\n            self._unwritten.clear()",
        (
            "tests/api/test_ways_out.py"
            "::test_stderr_that_can_not_be_written_changes_nothing[2>/dev/full]",
        ),
        "a closed stderr keeps nobody from cleaning up",
    ),
    Mutant(
        "kubectl_scratch/runtime/console.py",
        "if key in self._told or self._clock()",
        "if self._clock()",
        ("tests/api/test_caution.py::test_a_reason_that_stays_is_told_once_in_a_log",),
        "a reason is told once in a log",
    ),
    Mutant(
        "kubectl_scratch/runtime/console.py",
        "        if tasks.is_abandoned():\n            return\n        with self._lock:\n   "
        "         self.settle()",
        "        with self._lock:\n            self.settle()",
        ("tests/unit/test_interrupts.py::test_a_signal_gives_it_up",),
        "who is given up says nothing",
    ),
    Mutant(
        "kubectl_scratch/runtime/console.py",
        "c if c.isprintable() else",
        'c if c.isprintable() or c > "\\x7f" else',
        ("tests/unit/test_console.py::test_what_a_cluster_sends_can_not_move_the_cursor",),
        "what a cluster sends has no control of the second half, and turns no order",
    ),
    Mutant(
        "kubectl_scratch/runtime/console.py",
        "del self._unwritten[: sink.write(bytes(self._unwritten))]",
        "os.write(sink.fileno(), bytes(self._unwritten))\n            self._unwritten.clear()",
        ("tests/api/test_unread.py::test_a_signal_ends_it_where_a_pipe_is_full[debug-2]",),
        "a stderr that nobody reads does not hold up the deletion",
    ),
    Mutant(
        "kubectl_scratch/runtime/console.py",
        "while self._unwritten and not (self.hurried and time.monotonic() > end):",
        "while self._unwritten:",
        ("tests/api/test_unread.py::test_a_signal_ends_it_where_a_pipe_is_full[debug-2]",),
        "nor does it hold up the end of who was interrupted",
    ),
    Mutant(
        "kubectl_scratch/runtime/console.py",
        "while self._unwritten and not (self.hurried and time.monotonic() > end):",
        "while False:",
        ("tests/api/test_unread.py::test_the_copy_is_deleted_before_anything_is_said[debug]",),
        "who reads late reads all that was said",
    ),
    # runtime/interrupts.py
    Mutant(
        "kubectl_scratch/runtime/interrupts.py",
        "        self._count += 1\n",
        "        self._count += 1\n        raise KeyboardInterrupt\n",
        (
            "tests/api/test_ways_out.py"
            "::test_a_signal_while_a_request_is_in_flight[copy-made-SIGINT]",
        ),
        "a signal loses nothing between its creation and the note of it",
    ),
    Mutant(
        "kubectl_scratch/runtime/interrupts.py",
        "signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)",
        "signal.SIGINT, signal.SIGTERM)",
        ("tests/api/test_ways_out.py::test_a_signal_during_a_piped_session",),
        "each signal that ends a program deletes the copy first",
    ),
    Mutant(
        "kubectl_scratch/runtime/interrupts.py",
        "if signal.getsignal(signum) is not signal.SIG_IGN:",
        "if True:",
        ("tests/api/test_signals.py::test_what_the_caller_ignores_ends_no_session[SIGHUP]",),
        "what the caller ignores, as nohup does, ends no session",
    ),
    Mutant(
        "kubectl_scratch/runtime/interrupts.py",
        "                task.abandon()\n",
        "",
        ("tests/unit/test_interrupts.py::test_a_signal_gives_it_up",),
        "what a signal gives up is ended",
    ),
    # runtime/tasks.py
    Mutant(
        "kubectl_scratch/runtime/tasks.py",
        "    if is_abandoned():\n        raise Abandoned",
        "    if False:\n        raise Abandoned",
        ("tests/unit/test_interrupts.py::test_who_is_given_up_begins_nothing_more",),
        "who is given up begins nothing more",
    ),
    Mutant(
        "kubectl_scratch/runtime/tasks.py",
        "            if not self.abandoned:\n                self._results.append(result)",
        "            if True:\n                self._results.append(result)",
        ("tests/unit/test_interrupts.py::test_a_signal_gives_it_up",),
        "what comes late is undone",
    ),
    # runtime/temp_dir.py
    Mutant(
        "kubectl_scratch/runtime/temp_dir.py",
        (
            "    atexit.register(remove)\n"
            "    try:\n"
            "        yield Path(folder)\n"
            "    finally:\n"
            "        remove()\n"
            "        os.close(held)\n"
            "        atexit.unregister(remove)\n"
        ),
        "    yield Path(folder)\n",
        ("tests/api/test_kubectl.py::test_credentials_go_through_a_private_file",),
        "a file with secrets is gone with the session",
    ),
    Mutant(
        "kubectl_scratch/runtime/temp_dir.py",
        "    _remove_abandoned(parent)\n",
        "",
        ("tests/api/test_kubectl.py::test_the_private_file_is_gone_when_the_session_was_killed",),
        "what a killed process has left is removed by the next one",
    ),
    Mutant(
        "kubectl_scratch/runtime/temp_dir.py",
        "if not pid or folder.lstat().st_uid != os.getuid() or",
        "if not pid or",
        ("tests/unit/test_temp_dir.py::test_another_users_private_folder_is_left_alone",),
        "another user's folder is left alone",
    ),
    # session/copy_session.py
    Mutant(
        "kubectl_scratch/session/copy_session.py",
        "can_move = place.view == APP and tty and not session.command",
        "can_move = place.view == APP and tty",
        ("tests/api/test_inside.py::test_a_command_on_a_terminal_is_not_started_again_either",),
        "a command whose target dies is not run a second time",
    ),
    # session/discovery_runner.py
    Mutant(
        "kubectl_scratch/session/discovery_runner.py",
        "self._check.confirm()",
        "pass",
        ("tests/api/test_seedcheck.py::test_what_another_program_has_learned_is_told_to_nobody",),
        "what another program has learned is told to nobody",
    ),
    # session/kubectl_transport.py
    Mutant(
        "kubectl_scratch/session/kubectl_transport.py",
        "os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)",
        "os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)",
        ("tests/api/test_kubectl.py::test_credentials_go_through_a_private_file",),
        "a kubectl's credentials are the user's alone to read",
    ),
    # session/pod_watch.py
    Mutant(
        "kubectl_scratch/session/pod_watch.py",
        "container = failed.container or self._watched.name",
        "container = self._watched.name",
        ("tests/api/test_caution.py::test_a_failing_init_container_says_why_and_whose_fault",),
        "the last words are those of what has failed",
    ),
    # session/readiness.py
    Mutant(
        "kubectl_scratch/session/readiness.py",
        'often = " again and again" if watched.starts_again and again else ""',
        'often = ""',
        (
            "tests/unit/test_readiness.py"
            "::test_an_app_that_ends_before_it_is_reached_is_not_waited_for",
        ),
        "an app that always ends is not waited for",
    ),
    Mutant(
        "kubectl_scratch/session/readiness.py",
        "missed = watched.read_only.get(name) or ()",
        "missed: tuple[str, ...] = ()",
        ("tests/unit/test_readiness.py::test_an_init_container_failing_on_a_read_only_volume",),
        "what our own caution breaks is told",
    ),
    # session/seed_delivery.py
    Mutant(
        "kubectl_scratch/session/seed_delivery.py",
        "check.confirm(greeting.digest)",
        "pass",
        ("tests/api/test_seedcheck.py::test_what_was_replaced_receives_nothing[deleted]",),
        "the seed is checked before it receives anything",
    ),
    Mutant(
        "kubectl_scratch/session/seed_delivery.py",
        "        if not lives():\n            raise SeedEnded(IS_OVER)",
        "        lives()",
        (
            "tests/api/test_caution.py"
            "::test_a_target_that_ends_while_the_tools_come_says_how[hangs]",
        ),
        "a target that ends meanwhile is noticed",
    ),
    Mutant(
        "kubectl_scratch/session/seed_delivery.py",
        "if ends_with_its_container(outcome.code, problem):",
        "if False:",
        (
            "tests/api/test_caution.py"
            "::test_a_target_that_ends_while_the_tools_come_says_how[killed]",
        ),
        "a target that ends while the tools come tells its own end",
    ),
    Mutant(
        "kubectl_scratch/session/seed_delivery.py",
        "if self._count >= ENDS:",
        "if False:",
        ("tests/api/test_caution.py::test_a_seed_that_is_killed_each_time_is_not_tried_for_ever",),
        "what never works is not tried for ever",
    ),
    # session/session.py
    Mutant(
        "kubectl_scratch/session/session.py",
        "        if not reads:\n            remote.sendeof()",
        "        if False:\n            remote.sendeof()",
        ("tests/api/test_stdin.py::test_without_stdin_there_is_its_end_at_once[flags0]",),
        "without stdin there is its end at once",
    ),
    Mutant(
        "kubectl_scratch/session/opening.py",
        "run(wait, _close, ",
        "run(wait, lambda remote: None, ",
        ("tests/unit/test_session.py::test_a_command_that_comes_after_a_signal_is_closed",),
        "no kubectl exec outlives a session that was given up",
    ),
    # session/stdin_watch.py
    Mutant(
        "kubectl_scratch/session/stdin_watch.py",
        "                if not outcome.lost:\n",
        "                if True:\n",
        ("tests/api/test_stdin.py::test_a_watch_that_is_cut_begins_again",),
        "a watch that is cut begins again",
    ),
    Mutant(
        "kubectl_scratch/session/stdin_watch.py",
        "os.close(self._tell)",
        "pass",
        ("tests/api/test_stdin.py::test_where_it_can_t_be_found_out_it_is_read[{'status': 403}]",),
        "where it can't be found out stdin is read",
    ),
    # session/terminal.py
    Mutant(
        "kubectl_scratch/session/terminal.py",
        "termios.tcsetattr(self._fd, termios.TCSANOW, self._saved)",
        "pass",
        ("tests/api/test_ways_out.py::test_a_lost_connection_leaves_the_terminal_as_it_was",),
        "the terminal is left as it was",
    ),
    Mutant(
        "kubectl_scratch/session/terminal.py",
        "raise Interrupted(signal.SIGPIPE) from error",
        'raise SessionError("x") from error',
        ("tests/api/test_ways_out.py::test_in_a_pipeline_head_ends_it",),
        "in a pipeline a reader that closes is no error",
    ),
    Mutant(
        "kubectl_scratch/session/terminal.py",
        "elif reading and remote.backlog < MOST_BACKLOG:",
        "elif reading:",
        ("tests/unit/test_backlog.py::test_what_waits_for_a_stalled_network_is_bounded",),
        "what waits for a stalled network is bounded",
    ),
    Mutant(
        "kubectl_scratch/session/terminal.py",
        "if reading and waiting is not None:",
        "if False:",
        ("tests/api/test_stdin.py::test_a_command_that_does_not_read_leaves_it[flags0]",),
        "who does not read leaves stdin to the next command",
    ),
    Mutant(
        "kubectl_scratch/session/terminal.py",
        "            self.interrupts.check()\n            wrote =",
        "            wrote =",
        ("tests/api/test_ways_out.py::test_a_signal_while_nobody_reads_the_output[SIGTERM]",),
        "a stdout that nobody reads does not hold up the deletion",
    ),
    Mutant(
        "kubectl_scratch/session/terminal.py",
        "if raw is not None and error.errno == errno.EIO:",
        "if False:",
        ("tests/api/test_ways_out.py::test_a_closed_terminal_ends_it_if_the_signal_is_ignored",),
        "a terminal that is gone ends the session as its signal does",
    ),
    Mutant(
        "kubectl_scratch/session/terminal.py",
        "        raw.again()\n",
        "        pass\n",
        ("tests/api/test_signals.py::test_the_terminal_is_raw_again_after_a_stop",),
        "after a stop the terminal is raw again",
    ),
    # session/websocket_transport.py
    Mutant(
        "kubectl_scratch/session/websocket_transport.py",
        "return self._start_once(subprotocol)",
        "return self._reach(lambda: self._start(subprotocol))",
        ("tests/api/test_streams.py::test_a_command_whose_start_is_unsure_is_not_sent_again",),
        "a command that may have started is not sent twice",
    ),
    Mutant(
        "kubectl_scratch/session/websocket_transport.py",
        "if exec_command.tty and exec_command.repeatable:",
        "if exec_command.tty:",
        (
            "tests/api/test_streams.py"
            "::test_a_command_whose_start_is_unsure_is_not_sent_again[terminal]",
        ),
        "nor on a terminal",
    ),
    # session/workflow.py
    Mutant(
        "kubectl_scratch/session/workflow.py",
        "    if plan.blockers:\n        raise",
        "    if False:\n        raise",
        ("tests/api/test_plan.py::test_a_blocker_is_part_of_a_dry_run_and_its_code_is_1",),
        "what is blocked is not created",
    ),
    # toolkit/archive.py
    Mutant(
        "kubectl_scratch/toolkit/archive.py",
        'if "\\n" in where:',
        "if False:",
        ("tests/unit/test_archive.py::test_a_name_may_be_of_any_bytes_but_a_newline",),
        "the name of a file begins no record of its own",
    ),
    # toolkit/shell/rc.sh
    Mutant(
        "kubectl_scratch/toolkit/shell/rc.sh",
        "p=$(target_pid) || p=no-target;",
        "p=$(target_pid);",
        ("tests/unit/test_shell.py::test_without_a_target_its_root_is_none_that_there_is",),
        "$(target-root)/etc is never the session's own",
    ),
    Mutant(
        "kubectl_scratch/toolkit/shell/rc.sh",
        "{ LC_CTYPE=C.UTF-8; } 2> /dev/null",
        "export LC_CTYPE=C.UTF-8",
        ("tests/seed/test_enter.py::test_what_is_started_has_the_app_s_own_locale[ours-{}]",),
        "what is started from the shell has the app's own locale",
    ),
    # why/status_causes.py
    Mutant(
        "kubectl_scratch/why/status_causes.py",
        "return not any(cause.weight >= FINDING for cause in causes)",
        "return True",
        ("tests/unit/test_why_status.py::test_what_kubernetes_says_is_the_answer[oom2]",),
        "no copy is made if Kubernetes itself knows the cause",
    ),
    # why/status/commands.py
    Mutant(
        "kubectl_scratch/why/status/commands.py",
        'return shlex.join(["kubectl", "-n", where, *words])',
        'return " ".join(["kubectl", "-n", where, *words])',
        ("tests/unit/test_why_status_texts.py::test_names_from_texts_are_quoted_in_commands",),
        "a command that is shown does nothing else if it is pasted",
    ),
    # seed/app/discovery.c
    Mutant(
        "seed/app/discovery.c",
        "return is_of_container(pid, app->container) || mark(pid);",
        "return is_of_container(pid, app->container) || !mark(pid);",
        ("tests/seed/test_learn.py::test_the_first_process_of_another_container_is_passed_over",),
        "a watcher kills no container but the app's",
    ),
    # seed/app/holder.c
    Mutant(
        "seed/app/holder.c",
        "return is_of_this_container(pid) && visit_holder(pid, about);",
        "return visit_holder(pid, about);",
        ("tests/seed/test_run_app.py::test_the_holder_of_another_copy_is_not_taken_for_its_own",),
        "on a shared node no other copy's app is run",
    ),
    # seed/base/say.c
    Mutant(
        "seed/base/say.c",
        "append_shown(&line, part);",
        "append(&line, part, strlen(part));",
        ("tests/seed/test_run_app.py::test_nor_does_a_message",),
        "no message of the seed acts on the terminal",
    ),
    # seed/base/shown.c
    Mutant(
        "seed/base/shown.c",
        "        if (!safe)\n            append_codes(text, word, size);\n",
        "        if (!safe && !*word)\n            append_codes(text, word, size);\n",
        (
            "tests/seed/test_run_app.py::test_what_an_app_says_of_itself_does_nothing_to_the_terminal",
        ),
        "what an app calls itself says nothing to the terminal",
    ),
    Mutant(
        "seed/base/shown.c",
        "(code >= 0x7f && code < 0xa0)",
        "code == 0x7f",
        ("tests/seed/test_run_app.py::test_no_word_of_an_app_acts_on_the_terminal",),
        "no word of an app acts on the terminal, by a control of the second half",
    ),
    Mutant(
        "seed/base/shown.c",
        "(code >= 0x2066 && code <= 0x2069)",
        "code == 0x2066",
        ("tests/seed/test_run_app.py::test_no_word_of_an_app_acts_on_the_terminal",),
        "nor turns the order of the others",
    ),
    # seed/base/waiting.c
    Mutant(
        "seed/base/waiting.c",
        "memset(set, 0xff, sizeof *set);",
        "sigfillset(set);",
        ("tests/seed/test_enter.py::test_it_idles_until_it_is_told_to_end",),
        "the signal to end is the image's, glibc's SIGRTMIN too, which musl keeps for itself",
    ),
    Mutant(
        "seed/base/waiting.c",
        "for (int number = 1; number < NSIG; number++)\n        syscall",
        "for (int number = 1; number < 1; number++)\n        syscall",
        ("tests/seed/test_run_app.py::test_signals_are_as_at_the_start_of_a_container",),
        "an app is started with the signals of a container's start",
    ),
    # seed/session/start.c
    Mutant(
        "seed/session/start.c",
        'if (!read_at(AT_FDCWD, "/proc/self/exe", &program))',
        'if (read_at(AT_FDCWD, "/proc/self/exe", &program))',
        ("tests/seed/test_start.py::test_what_follows_is_the_command_s[amd64]",),
        "the seed says its own checksum",
    ),
    # seed/session/wants.c
    Mutant(
        "seed/session/wants.c",
        "return has_handle(wish, arguments[0]);",
        "return true;",
        ("tests/seed/test_wants.py::test_who_does_something_else_is_let[reads-of-another]",),
        "who reads something else takes nothing of our stdin",
    ),
    Mutant(
        "seed/session/wants.c",
        "if (runs_seed(pid))",
        "if (runs_seed(pid) && !*pid)",
        ("tests/seed/test_wants.py::test_a_seed_that_receives_is_no_reader",),
        "nor does what receives the tools",
    ),
    # seed/toolkit/receive.c
    Mutant(
        "seed/toolkit/receive.c",
        "if (!equal(hex, record->sum))",
        "if (!record->sum)",
        ("tests/seed/test_recv.py::test_a_wrong_checksum_is_refused",),
        "a byte that changed on its way is found",
    ),
    Mutant(
        "seed/toolkit/receive.c",
        "O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC",
        "O_PATH | O_DIRECTORY | O_CLOEXEC",
        ("tests/seed/test_recv.py::test_a_link_does_not_lead_out",),
        "nothing is written outside of the toolkit, past a link",
    ),
    Mutant(
        "seed/toolkit/receive.c",
        "if (!is_inside(record.path))",
        "if (!is_inside(record.path) && !*record.path)",
        ("tests/seed/test_recv.py::test_a_path_that_is_not_in_the_toolkit_is_refused",),
        "nothing is written outside of the toolkit, by a path",
    ),
    Mutant(
        "seed/toolkit/receive.c",
        "        unlinkat(partial.folder, partial.name, 0);\n",
        "        close(partial.folder);\n",
        ("tests/seed/test_recv.py::test_a_wrong_checksum_is_refused",),
        "what has come in part is removed",
    ),
)
