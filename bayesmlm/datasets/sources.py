"""What each data set is, where it comes from, and how its columns are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Source:
    """One data set.

    Parameters
    ----------
    file
        Stem of the CSV file it is read from, where it is not part of the package.
    about
        Rows, groups and columns, in words.
    source
        Where the figures were published.
    included
        Whether it comes with the package.
    text
        Columns of labels, read as text whatever they look like.
    categories
        Categories whose order is not alphabetical; the first is the reference.
    """

    file: str
    about: str
    source: str
    included: bool = True
    text: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


SOURCES: Mapping[str, Source] = {
    "cbpp": Source(
        "cbpp",
        "56 rows, 15 herds of zebu cattle in 4 periods: cases of pleuropneumonia (incidence) "
        "among the animals of a herd (size)",
        "Lesnoff et al. (2004), Preventive Veterinary Medicine 64, 27–40; cbpp of lme4",
        text=("herd", "period"),
    ),
    "dyestuff": Source(
        "Dyestuff",
        "30 yields of dyestuff, 5 from each of 6 batches",
        "Davies & Goldsmith (1972), Statistical Methods in Research and Production; "
        "Dyestuff of lme4",
    ),
    "dyestuff2": Source(
        "Dyestuff2",
        "30 simulated yields, 5 from each of 6 batches, with no variance between batches",
        "Box & Tiao (1973), Bayesian Inference in Statistical Analysis, table 5.1.4; "
        "Dyestuff2 of lme4",
    ),
    "eight_schools": Source(
        "eight_schools",
        "8 schools: the estimated effect of coaching (y) and its standard error (sigma)",
        "Rubin (1981), Journal of Educational Statistics 6, 377–401",
    ),
    "four_classrooms": Source(
        "four_classrooms",
        "18 simulated pupils in 4 classrooms: score, gender, room; made by "
        "`simulate_four_classrooms`",
        "simulated for this package",
        categories={"gender": ("boy", "girl")},
    ),
    "high_school_beyond": Source(
        "MathAchieve",
        "7,185 pupils in 160 schools, survey of 1982: school, minority, sex, ses, mathach "
        "(pupil); size, sector, pracad, disclim, himinty, meanses (school)",
        "Raudenbush & Bryk (2002), Hierarchical Linear Models, chapter 4, as MathAchieve and "
        "MathAchSchool in Pinheiro & Bates (2000)",
        text=("school",),
        categories={"sector": ("Public", "Catholic")},
    ),
    "language_bdf": Source(
        "bdf",
        "2,287 pupils in 131 Dutch schools: language score (langPOST), verbal IQ (IQ_verb), "
        "ses and more",
        "Snijders & Bosker (1999), Multilevel Analysis, 1st edition; bdf of nlme, dots in its "
        "column names replaced by underscores",
        text=("schoolNR", "pupilNR", "sex", "Minority", "repeatgr", "denomina", "natitest"),
    ),
    "pastes": Source(
        "Pastes",
        "60 strengths of a chemical paste: two assays of each of 3 casks in 10 batches",
        "Davies & Goldsmith (1972), Statistical Methods in Research and Production; Pastes of lme4",
    ),
    "patents": Source(
        "patents",
        "400 simulated patents: days until the decision (days), number of claims (claims), "
        "applicant, examiner, technology, crossed three ways; made by `simulate_patents`",
        "simulated for this package",
    ),
    "penicillin": Source(
        "Penicillin",
        "144 diameters of inhibition: 6 samples of penicillin on each of 24 plates",
        "Davies & Goldsmith (1972), Statistical Methods in Research and Production; "
        "Penicillin of lme4",
    ),
    "radon": Source(
        "radon_mn",
        "919 houses in 85 counties of Minnesota: log radon (y), floor (0 basement, 1 first "
        "floor), log uranium of the county",
        "Price, Nero & Gelman (1996), Health Physics 71, 922–936; Gelman & Hill (2007), Data "
        "Analysis Using Regression and Multilevel/Hierarchical Models, chapters 12–13",
    ),
    "rats": Source(
        "bugs_rats",
        "150 weights of 30 rats on 5 days",
        "Gelfand, Hills, Racine-Poon & Smith (1990), Journal of the American Statistical "
        "Association 85, 972–985; Rats of the BUGS examples",
    ),
    "sleepstudy": Source(
        "sleepstudy",
        "180 mean reaction times (ms): 18 subjects on 10 days of sleep deprivation",
        "Belenky et al. (2003), Journal of Sleep Research 12, 1–12; sleepstudy of lme4",
        text=("Subject",),
    ),
    "contraception": Source(
        "Contraception",
        "1,934 women in 60 districts of Bangladesh: use of contraception, age (centred), "
        "living children, urban",
        "Bangladesh Fertility Survey of 1988, Huq & Cleland (1990); Contraception of mlmRev",
        included=False,
        text=("woman", "district"),
    ),
    "election88": Source(
        "election88_polls_subset",
        "2,015 respondents in 49 states who named a candidate in the last CBS poll before the "
        "election of 1988: bush (1 or 0), black, female, age, edu (4 categories each), their "
        "cell age_edu, state, region, v_prev_adj (the state's Republican vote before, adjusted)",
        "Gelman & Hill (2007), chapter 14; CBS News poll 9158",
        included=False,
    ),
    "grouseticks": Source(
        "grouseticks",
        "403 red grouse chicks: ticks (TICKS) by YEAR and height (cHEIGHT, centred), in broods "
        "in locations; INDEX numbers the chicks",
        "Elston et al. (2001), Parasitology 122, 563–569; grouseticks of lme4",
        included=False,
        text=("INDEX", "BROOD", "LOCATION", "YEAR"),
    ),
    "guimmun": Source(
        "guImmun",
        "2,159 children of 1,595 mothers in 161 communities of Guatemala: complete immunisation "
        "(immun) and what may explain it",
        "Rodríguez & Goldman (2001), Journal of the Royal Statistical Society A 164, 339–355; "
        "guImmun of mlmRev",
        included=False,
        text=("kid", "mom", "comm", "ord"),
    ),
    "insteval": Source(
        "InstEval",
        "73,421 evaluations of 1,128 lecturers (d) by 2,972 students (s) at ETH Zurich; "
        "service: lecture for another department",
        "M. Maechler; InstEval of lme4",
        included=False,
        text=("s", "d", "studage", "lectage", "service", "dept"),
    ),
    "language": Source(
        "mlbook_red",
        "3,758 pupils in 211 Dutch schools: language score (langPOST), verbal IQ (IQ_verb, "
        "centred), its school mean (sch_iqv) and more",
        "Snijders & Bosker (2012), Multilevel Analysis, 2nd edition; Brandsma & Knuver (1989)",
        included=False,
    ),
    "verbagg": Source(
        "VerbAgg",
        "7,584 answers of 316 persons to 24 items on verbal aggression: r2 (Y or N), resp, Anger, "
        "Gender, btype, situ, mode",
        "De Boeck & Wilson (2004), Explanatory Item Response Models; VerbAgg of lme4",
        included=False,
        text=("id", "item"),
        categories={"btype": ("curse", "scold", "shout"), "situ": ("other", "self")},
    ),
}
"""Every data set by name, those of the package and those read from a folder."""
