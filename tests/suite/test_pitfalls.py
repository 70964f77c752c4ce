"""The ways in which a report could deceive, and the tests that hold each of them off.

Docstrings of tests name them by number. Every test that is named here is looked for.
"""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

PITFALLS = {
    1: (
        "a run in which everything was skipped is green",
        ["suite/test_plugin.py::test_an_all_skipped_run_is_not_green",
         "suite/test_exit_codes.py::test_a_run_in_which_every_case_was_skipped_is_not_green",
         "suite/test_plugin_errors.py::test_no_case_selected_is_never_green"],
    ),
    2: (
        "the case whose worker died is missing",
        ["suite/test_plugin_errors.py::test_a_worker_that_dies_leaves_a_broken_case_in_every_report",
         "suite/test_plugin_errors.py::test_cases_of_a_worker_that_is_not_replaced_are_broken"],
    ),
    3: (
        "tests that could not be collected are missing",
        ["suite/test_plugin_errors.py::test_a_collection_error_is_visible_everywhere"],
    ),
    4: (
        "looking at what would run destroys the last report",
        ["suite/test_plugin.py::test_what_runs_nothing_starts_no_hub_and_touches_no_report",
         "suite/test_allure_plugin.py::test_what_runs_nothing_writes_and_cleans_nothing"],
    ),
    5: (
        "the results of one profile hide those of another",
        ["suite/test_case_ids.py::test_results_of_two_profiles_lie_beside_each_other_and_say_whose_they_are",
         "report/test_allure_config.py::test_each_run_is_an_environment_of_its_own",
         "report/test_merge.py::test_runs_that_do_not_belong_together_are_refused"],
    ),
    6: (
        "a deviation covers what it does not state, or lives on when it is over",
        ["suite/test_deviations.py::test_a_deviation_that_does_not_hold_fails_the_run",
         "suite/test_deviations.py::test_an_unmatched_deviation_fails_a_run_that_is_green_otherwise",
         "suite/test_deviations.py::test_a_case_that_proves_nothing_stays_what_it_is"],
    ),
    7: (
        "a key stands in a report",
        ["suite/test_secrets.py::test_a_canary_is_in_no_output_of_a_run",
         "suite/test_secrets.py::test_a_secret_in_the_report_makes_the_run_invalid",
         "suite/test_secrets.py::test_a_junit_file_that_is_asked_for_is_searched_too",
         "suite/test_allure_plugin.py::test_what_another_test_attaches_is_searched_for_secrets",
         "suite/test_report_formats.py::test_no_format_holds_a_secret"],
    ),
    8: (
        "a case has another id in each run, or one that nobody can read",
        ["suite/test_case_ids.py::test_every_id_can_be_printed_typed_and_told_from_the_others",
         "suite/test_case_ids.py::test_no_id_holds_what_nobody_can_read",
         "suite/test_case_ids.py::test_every_parameter_has_words_of_its_own",
         "suite/test_case_ids.py::test_the_ids_are_the_same_in_another_process_and_from_another_place"],
    ),
    9: (
        "a clause has no test, and nobody notices",
        ["suite/test_listing.py::test_every_clause_has_a_test_or_a_reason",
         "suite/test_plugin.py::test_a_claimed_clause_without_a_case_is_a_breach_of_policy"],
    ),
    10: (
        "the formats count differently",
        ["suite/test_every_verdict.py::test_every_format_counts_the_same_cases",
         "suite/test_every_verdict.py::test_every_format_counts_the_same_clauses",
         "report/test_page.py::test_each_own_case_is_there_once_with_its_verdict",
         "report/test_allure_page.py::test_the_page_counts_the_cases_of_the_statement",
         "report/test_merge.py::test_the_merged_report_has_every_format_with_the_same_counts"],
    ),
    11: (
        "a hub, a worker or a device outlives the run",
        ["suite/test_no_hub_left.py::test_neither_hub_nor_worker_outlives_a_run",
         "suite/test_interrupt.py::test_one_interrupt_ends_the_run_and_clears_up",
         "suite/test_interrupt.py::test_a_job_that_is_cancelled_clears_up_too",
         "suite/test_interrupt.py::test_devices_of_a_worker_that_was_killed_are_deleted_by_the_controller"],
    ),
    12: (
        "a page fetches something from elsewhere",
        ["report/test_page.py::test_the_page_can_load_nothing",
         "report/test_browser.py::test_the_page_asks_for_nothing_and_complains_of_nothing",
         "report/test_allure_page.py::test_the_page_asks_for_nothing_and_complains_of_nothing",
         "suite/test_report_formats.py::test_no_page_of_a_run_can_load_anything"],
    ),
    13: (
        "a slip of the pen ends in a traceback, or in another exit code with workers",
        ["suite/test_plugin_errors.py::test_a_wrong_citation_stops_the_run",
         "suite/test_plugin_errors.py::test_every_wrong_citation_is_named_once",
         "suite/test_plugin_errors.py::test_a_target_that_cannot_be_had_stops_the_run",
         "suite/test_plugin_errors.py::test_a_wrong_selection_is_a_usage_error",
         "suite/test_selection.py::test_a_word_that_matches_nothing_is_one_line"],
    ),
    14: (
        "a check cannot fail",
        ["faults/test_faults.py::test_a_fault_turns_its_clauses_red",
         "faults/test_every_clause_has_a_fault.py::test_a_clause_that_can_fail_has_a_fault"],
    ),
    15: (
        "a known deviation looks like a case that did not run, and a broken one like a violation",
        ["suite/test_every_verdict.py::test_every_verdict_has_its_status_in_allure",
         "suite/test_every_verdict.py::test_junits_own_counts_are_those_of_its_cases"],
    ),
    16: (
        "a stale deviation fails without a word",
        ["suite/test_every_verdict.py::test_allure_says_in_words_what_is_no_pass"],
    ),
    17: (
        "a case begins a new history with each run",
        ["suite/test_case_ids.py::test_a_case_has_one_history_whatever_run_it_is_of",
         "suite/test_case_ids.py::test_the_labels_of_a_case_stand_in_one_order"],
    ),
    18: (
        "a run starts a hub for each worker",
        ["suite/test_plugin.py::test_the_target_is_opened_once_and_closed"],
    ),
    19: (
        "a hub that cannot be reached is taken for one that conforms, or for one that does not",
        ["suite/test_plugin_errors.py::test_a_target_that_cannot_be_had_stops_the_run",
         "suite/test_exit_codes.py::test_each_red_verdict_has_its_code"],
    ),
    20: (
        "pytest's own marks for expected failures hide a violation",
        ["suite/test_plugin.py::test_each_way_to_end_has_its_verdict"],
    ),
    21: (
        "a part of the suite claims what only all of it can",
        ["suite/test_selection.py::test_a_part_of_the_suite_says_so_everywhere_and_claims_nothing",
         "suite/test_selection.py::test_a_part_of_the_suite_is_partial_with_workers_too",
         "suite/test_selection.py::test_a_selection_of_everything_is_partial_all_the_same",
         "suite/test_plugin.py::test_stopping_at_the_first_failure_is_partial",
         "report/test_headline.py::test_a_partial_selection_never_claims"],
    ),
    22: (
        "the variables of a job find their way into a report",
        ["suite/test_report_formats.py::test_allures_surroundings_are_an_allow_list"],
    ),
    23: (
        "a report is too long to be shown, or leaves something out without a word",
        ["report/test_page.py::test_a_flood_is_cut_in_the_middle_and_says_so",
         "report/test_limits.py::test_a_report_of_the_worst_hub_opens",
         "report/test_limits.py::test_all_transcripts_of_a_statement_have_their_room_together_and_a_remark_says_so",
         "hostile/test_reports_open.py::test_the_report_opens",
         "suite/test_case_limits.py::test_the_texts_of_a_case_are_cut_and_say_how_long_they_were",
         "report/test_summary.py::test_a_summary_of_thousands_of_violations_stays_within_githubs_limit"],
    ),
    24: (
        "what a hub sends becomes markup, or moves the cursor",
        ["report/test_page.py::test_nothing_in_a_statement_becomes_markup",
         "report/test_summary.py::test_nothing_in_a_statement_becomes_markdown",
         "suite/test_ending.py::test_nothing_that_a_hub_sent_moves_the_cursor",
         "suite/test_terminal_sequences.py::test_no_output_of_a_run_holds_a_sequence"],
    ),
    25: (
        "two runs at once mix, or a run that was interrupted leaves half a report",
        ["suite/test_report_folder.py::test_two_runs_at_once_never_mix",
         "suite/test_report_folder.py::test_a_run_that_ends_early_leaves_the_old_report"],
    ),
    26: (
        "progress fills a log, or breaks what pytest writes",
        ["suite/test_progress.py::test_a_log_has_a_line_for_each_tenth_and_no_dots",
         "suite/test_progress.py::test_a_terminal_shows_one_line_that_is_rewritten",
         "suite/test_progress.py::test_ctrl_c_leaves_the_line_as_it_was_and_a_new_one_below"],
    ),
    27: (
        "a part of a run takes the place of the whole",
        ["suite/test_partial_report.py::test_a_part_lies_beside_the_whole_report",
         "suite/test_partial_report.py::test_an_interrupted_run_lies_beside_the_whole_report",
         "suite/test_partial_report.py::test_a_selection_is_refused_where_a_whole_report_lies",
         "report/test_merge.py::test_a_part_of_a_run_does_not_replace_the_report_of_a_whole_one"],
    ),
    28: (
        "the command of a report judges another hub, which holds",
        ["suite/test_reproduce.py::test_an_attached_hub_is_attached_to_again_while_it_runs_and_no_other_in_its_place",
         "suite/test_reproduce.py::test_a_hub_by_its_address_and_a_profile_with_variables_is_no_other_hub",
         "suite/test_reproduce.py::test_a_profile_that_starts_another_hub_since_is_refused"],
    ),
    29: (
        "a report that could not be written looks like a verdict",
        ["suite/test_written_report.py::test_a_full_disk_is_one_line_and_code_13",
         "suite/test_written_report.py::test_the_verdict_stands_in_the_terminal_before_any_file_is_written"],
    ),
}  # fmt: skip


def functions(file):
    tree = ast.parse(file.read_text())
    return {
        node.name: ast.get_docstring(node) or "" for node in tree.body if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("number", PITFALLS, ids=lambda number: f"pitfall-{number}")
def test_each_pitfall_has_its_tests(number):
    _, tests = PITFALLS[number]
    missing = [
        name for name in tests if name.partition("::")[2] not in functions(TESTS / name.partition("::")[0])
    ]

    assert tests
    assert missing == []


def test_a_number_in_a_docstring_is_that_of_the_list():
    named = {
        (int(number), f"{file.relative_to(TESTS)}::{test}")
        for folder in ("suite", "report")
        for file in (TESTS / folder).glob("test_*.py")
        for test, words in functions(file).items()
        for number in re.findall(r"\bPitfall (\d+)", words)
    }

    assert len(named) >= 14
    assert sorted((number, test) for number, test in named if test not in PITFALLS[number][1]) == []
